"""The breaker between a bot and its own losses: may another cross trade be begun, and how large?

Exits, completions and unwinds never ask. The guard is told what happens
(`observe_*`, `trade_ended`, `position_stands`), answers at once, and reserves
what it lets pass in the same breath, so that two trades that each fit and
together do not are never both begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from attrs import define, evolve, field

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch, FxUnavailable, InvalidInput
from fsm_arb.fx import FxProvider, StaticFx
from fsm_arb.machines.position import PositionState
from fsm_arb.memory import Memory
from fsm_arb.position import CrossExchangePosition
from fsm_arb.results import result_of
from fsm_arb.risk.history import NS_PER_DAY, Counted, RiskHistory, RouteHistory, SymbolHistory
from fsm_arb.risk.holdings import Holding, Holdings
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.risk.rates import Rates
from fsm_arb.risk.reckoning import Reckoned, reckoned, round_trip
from fsm_arb.risk.tiers import Facts, VenueFacts, verdicts
from fsm_arb.risk.verdicts import Approved, RiskCode, RiskReduced, Verdict, refused, strictest
from fsm_arb.values import ONE, ZERO, Action, Health, Leg, Money, Side, divide, to_decimal


def route_of(legs: tuple[Leg, Leg]) -> str:
    """Return the name of a pair of markets: ``upbit:BTC/KRW~binance:BTC/USDT``."""
    return "~".join(f"{leg.exchange}:{leg.symbol}" for leg in legs)


def imbalance(first: Money, second: Money) -> Decimal:
    """Return (a - b) / (a + b) of what two venues hold, both in one currency: between -1 and 1, 0 for nothing at all.

    Raises:
        CurrencyMismatch: They are in two currencies; convert first.
    """
    whole = (first + second).amount
    return divide((first - second).amount, whole) if whole else ZERO


def rebalancing(share: Decimal) -> Action:
    """Return the entry that makes an `imbalance` smaller: sell the asset where more of it is held."""
    if not share:
        return Action.NO_ACTION
    return Action.ENTRY_POSITIVE if share > 0 else Action.ENTRY_NEGATIVE


@define(eq=False)
class CrossExchangeRiskGuard:
    """Judges entries, tier by tier; the strictest verdict wins.

    Args:
        limits: Its numbers.
        time_ns: The wall clock, UTC ns; handed in.
        fx: Rates into the limits' currency, for notionals, results and inventories in another one.
    """

    limits: RiskLimits
    time_ns: Callable[[], int]
    fx: FxProvider = field(factory=lambda: StaticFx({}))
    history: RiskHistory = field(factory=RiskHistory)
    doubts: dict[str, str] = field(factory=dict)  # by asset: why a fee charged in it was counted as the usual one
    _holdings: Holdings = field(factory=Holdings)
    _health: dict[str, Health] = field(factory=dict)
    _headroom: dict[str, Decimal] = field(factory=dict)
    _scores: dict[str, Decimal] = field(factory=dict)
    _inventory: dict[tuple[str, str], Money] = field(factory=dict)
    _volatility: dict[str, Decimal] = field(factory=dict)
    _by_hand: list[tuple[int, int, Decimal]] = field(factory=list)  # told and not kept yet: number, wall clock, amount
    _keeper: Callable[[], None] | None = None  # of the executor whose it is

    # -------------------------------------------------------------- what it is told

    def observe_health(self, venue: str, health: Health) -> None:
        """Take in a reading of a venue."""
        self._health[venue] = health

    def observe_headroom(self, venue: str, share: Decimal | int | str) -> None:
        """Take in how much of a venue's rate limit is left, as a fraction."""
        self._headroom[venue] = to_decimal(share, "share")

    def observe_route_score(self, legs: tuple[Leg, Leg], score: Decimal | int | str) -> None:
        """Take in how well a pair of markets can be traded, from 0 to 1."""
        self._scores[route_of(legs)] = to_decimal(score, "score")

    def observe_inventory(self, venue: str, asset: str, worth: Money) -> None:
        """Take in what a venue holds of an asset, valued in any currency that `fx` converts.

        Raises:
            InvalidInput: It is less than nothing.
        """
        if worth.amount < 0:
            raise InvalidInput("worth", worth, "must not be negative")
        self._inventory[venue, asset] = worth

    def observe_volatility(self, asset: str, volatility: Decimal | int | str) -> None:
        """Take in an asset's realised volatility, as a fraction."""
        self._volatility[asset] = to_decimal(volatility, "volatility")

    def record_pnl(self, pnl: Money) -> None:
        """Take in what a round trip made or lost, for bots that tell it by hand: it is of no route and no asset.

        Raises:
            CurrencyMismatch: It is not in the limits' currency.
        """
        if pnl.currency != self.limits.currency:
            raise CurrencyMismatch("pnl", pnl, f"must be in {self.limits.currency}")
        self._count_by_hand(self.time_ns(), pnl.amount)
        if self._keeper is not None:
            self._keeper()

    def _count_by_hand(self, at_ns: int, amount: Decimal) -> None:
        number = self.history.by_hand + 1
        name = f"by hand {number}"
        after = self.history.with_result(name, "", "", amount, now_ns=at_ns, limits=self.limits).forget(name)
        self.history = evolve(after, by_hand=number)
        self._by_hand.append((number, at_ns, amount))

    def round_trip(self, trade_id: str, legs: tuple[Leg, Leg], pnl: Money) -> None:
        """Take in what a position, or an entry that came to none, made or lost; told again, a correction of it.

        Args:
            trade_id: The entry's.
            legs: Its markets.
            pnl: In any currency that `fx` converts.

        Raises:
            FxUnavailable: It cannot be converted.
        """
        self._count(trade_id, legs, Reckoned(cash=pnl.amount), pnl.currency)

    def _count(self, trade_id: str, legs: tuple[Leg, Leg], result: Reckoned, currency: str) -> None:
        """Count a result in *currency*, at the rates at which it was counted first."""
        before = self.history.counted.get(trade_id)
        rates = dict(before.rates) if before is not None else {}
        pnl, doubts = self._rates.value(result, currency, rates)
        self.doubts = {**doubts, **self.doubts}
        self.history = self.history.with_result(
            trade_id, route_of(legs), legs[0].base, pnl, now_ns=self.time_ns(), limits=self.limits, rates=rates
        )

    # -------------------------------------------------------------- what it is asked

    def check_cross_exchange_trade(self, decision: CrossExchangeDecision) -> Verdict:
        """Return whether *decision* may be begun, and reserve nothing. An exit always may."""
        if decision.action.is_exit:
            return Approved()
        self.history = self.history.on(self.time_ns())
        try:
            facts = self._facts(decision)
        except FxUnavailable as error:
            return refused(RiskCode.GLOBAL_FX_RATE, str(error))
        return strictest(verdicts(self.limits, facts))

    def admit(self, decision: CrossExchangeDecision) -> Verdict:
        """Return whether *decision* may be begun, and if it may, reserve its exposure until it has ended.

        Asked again for the same decision it does not count twice.
        """
        before = self._holdings.get(decision.decision_id)
        self._holdings.drop(decision.decision_id)
        verdict: Verdict | None = None
        try:
            verdict = self.check_cross_exchange_trade(decision)
        finally:
            if before is not None and (verdict is None or not verdict.approved):
                self._holdings.put(decision.decision_id, before)  # it runs already, whatever is said of it now
        if decision.action.is_entry and verdict.approved:
            notional = self._notional(decision)
            if isinstance(verdict, RiskReduced):
                notional = min(notional, verdict.room.amount)
            sells_first = decision.action is Action.ENTRY_POSITIVE
            self._hold(decision.decision_id, decision.legs, notional, sells_first=sells_first)
        return verdict

    @property
    def daily_pnl(self) -> Money:
        """Today's, in UTC."""
        self.history = self.history.on(self.time_ns())
        return Money(self.history.daily, self.limits.currency)

    @property
    def consecutive_losses(self) -> int:
        """Losing round trips since the last one that did not lose."""
        return self.history.losses

    @property
    def held(self) -> Money:
        """What running trades and open positions hold, in all."""
        return Money(self._holdings.total, self.limits.currency)

    # -------------------------------------------------------------- following trades and positions

    def follow(
        self,
        trade: Memory,
        position: CrossExchangePosition | None,
        parts: Mapping[str, Reckoned] | None = None,
    ) -> None:
        """Take in how a trade stands, as often as anything of it changes; at a start, every trade not yet forgotten.

        What it holds stays reserved while it runs, and at the size that is left while its position is open.
        A round trip's result is counted once its position is closed, or its entry has come to no position;
        a correction of it is counted as one. One that is not known exactly is counted as it is reckoned.

        Args:
            trade: As it is known.
            position: The one it opened or closes; None where there is none.
            parts: What trades of the position whose PnL is unknown are reckoned to have made, by trade id.

        Raises:
            FxUnavailable: An amount cannot be converted into the limits' currency.
        """
        if position is not None and (trade.done or trade.decision.action.is_exit):
            self.stands(position, parts)
        elif trade.decision.action.is_entry and not trade.done:
            self._still_running(trade)
        elif trade.decision.action.is_entry:
            self.let_go(trade.trade_id)
            if trade.trade_id in self.history.counted or any(order.filled for order in trade.orders):
                pnl = result_of(trade).pnl
                made = reckoned(trade) if pnl is None else Reckoned(cash=pnl)
                self._count(trade.trade_id, trade.decision.legs, made, trade.decision.legs[0].quote)

    def let_go(self, trade_id: str) -> None:
        """Release what a trade reserved: it was not begun, or ended with nothing."""
        self._holdings.drop(trade_id)

    def forget(self, trade_id: str) -> None:
        """Nothing of this trade will change any more: its result needs no correction."""
        self.history = self.history.forget(trade_id)

    def recall(self, trade_id: str, counted: Counted) -> None:
        """Take back what was counted for a trade that was forgotten: it may change after all. No sum changes."""
        self.history = self.history.recall(trade_id, counted)

    # -------------------------------------------------------------- whose it is

    def enter(self, keeper: Callable[[], None]) -> None:
        """Belong to one executor.

        Args:
            keeper: Called where the history has changed by hand.

        Raises:
            InvalidInput: It is another executor's, which has not been left.
        """
        if self._keeper is not None:
            why = (
                "is another executor's already: its history would stand on both journals, and count twice after a start"
            )
            raise InvalidInput("risk_guard", type(self).__name__, f"{why}; give each executor a guard of its own")
        self._keeper = keeper

    def leave(self) -> None:
        """Be free for another executor."""
        self._keeper = None

    def take_up(self, history: RiskHistory) -> None:
        """Go on from *history*; what was told by hand and was never kept counts on top of it."""
        told, self._by_hand = self._by_hand, []
        self.history = history
        for _, at_ns, amount in told:
            self._count_by_hand(at_ns, amount)

    def kept(self, history: RiskHistory) -> None:
        """Take in that *history* is durable."""
        self._by_hand = [each for each in self._by_hand if each[0] > history.by_hand]

    def _still_running(self, trade: Memory) -> None:
        if self._holdings.get(trade.trade_id) is None:
            decision = trade.decision
            sells_first = decision.action is Action.ENTRY_POSITIVE
            self._hold(trade.trade_id, decision.legs, self._notional(decision), sells_first=sells_first)

    def stands(self, position: CrossExchangePosition, parts: Mapping[str, Reckoned] | None = None) -> None:
        """Take in how a position stands: what is left of it is held; once it is closed, its result counts.

        Args:
            position: As it stands.
            parts: As for `follow`. A result that is in neither is not counted.

        Raises:
            FxUnavailable: An amount cannot be converted into the limits' currency.
        """
        name = position.entry_trade_id
        if position.state != PositionState.CLOSED:
            first, second = position.entry_prices
            price = first if first is not None or second is None else second * position.fx
            if price is not None:  # else what its entry reserved stays reserved
                worth = self._size(Money(position.quantity * price, position.legs[0].quote))
                self._hold(name, position.legs, worth, sells_first=position.sides[0] is Side.SELL)
            return
        self.let_go(name)
        result = round_trip(position, parts or {})
        if result is not None:
            self._count(name, position.legs, result, position.legs[0].quote)

    # -------------------------------------------------------------- small things

    def _hold(self, name: str, legs: tuple[Leg, Leg], notional: Decimal, *, sells_first: bool) -> None:
        venues = legs[0].exchange, legs[1].exchange
        holding = Holding(asset=legs[0].base, venues=venues, notional=notional, sells_first=sells_first)
        self._holdings.put(name, holding)

    def _notional(self, decision: CrossExchangeDecision) -> Decimal:
        return ZERO if decision.notional is None else self._size(decision.notional)

    def _size(self, money: Money) -> Decimal:
        """Return a size in the limits' currency; without a rate it is an error only where sizes are judged."""
        try:
            return self._rates.convert(money)
        except FxUnavailable:
            if self.limits.judges_exposure:
                raise
            return ZERO

    @property
    def _rates(self) -> Rates:
        return Rates(self.fx, self.limits, self.time_ns)

    def _facts(self, decision: CrossExchangeDecision) -> Facts:
        history, legs, now_ns = self.history, decision.legs, self.time_ns()
        route, asset = route_of(legs), legs[0].base
        own, symbol = history.routes.get(route, RouteHistory()), history.symbols.get(asset, SymbolHistory())
        sells_first = decision.action is Action.ENTRY_POSITIVE
        volatile = self._volatility.get(asset, ZERO) >= self.limits.volatility.threshold
        return Facts(
            now_ns=now_ns,
            day_ends_ns=(history.day + 1) * NS_PER_DAY,
            notional=self._notional(decision),
            venues=(self._venue(legs[0].exchange), self._venue(legs[1].exchange)),
            route=route,
            route_score=self._scores.get(route, ONE),
            route_losses=own.losses,
            route_cooldown_until_ns=own.cooldown_until_ns,
            asset=asset,
            asset_held=self._holdings.of_asset(asset),
            asset_result=symbol.result,
            asset_best=symbol.best,
            held=self._holdings.total,
            result=history.result,
            imbalance=self._imbalance(legs),
            sells_first=sells_first,
            day=history.daily,
            losses=history.losses,
            cooldown_until_ns=history.cooldown_until_ns,
            same_way=self._holdings.facing(sells_first=sells_first),
            positions=len(self._holdings),
            tightened=self.limits.volatility.multiplier if volatile else ONE,
        )

    def _venue(self, name: str) -> VenueFacts:
        health = self._health.get(name)
        return VenueFacts(
            name=name,
            status=health.status if health else None,
            headroom=self._headroom.get(name),
            held=self._holdings.on_venue(name),
        )

    def _imbalance(self, legs: tuple[Leg, Leg]) -> Decimal | None:
        """Return how unevenly the asset lies; None while either venue's inventory was never told."""
        worths = [self._inventory.get((leg.exchange, leg.base)) for leg in legs]
        if worths[0] is None or worths[1] is None:
            return None
        first, second = (
            Money(self._rates.convert(worth), self.limits.currency) for worth in worths if worth is not None
        )
        return imbalance(first, second)
