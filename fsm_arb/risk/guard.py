"""The breaker between a bot and its own losses: may another cross trade be begun, and how large?

Exits, completions and unwinds never ask. The guard is told what happens
(`observe_*`, `trade_ended`, `position_stands`), answers at once, and reserves
what it lets pass in the same breath, so that two trades that each fit and
together do not are never both begun.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from attrs import define, field

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import CurrencyMismatch, FxUnavailable, InvalidInput
from fsm_arb.fx import FxProvider, StaticFx
from fsm_arb.machines.position import PositionState
from fsm_arb.memory import Memory
from fsm_arb.position import CrossExchangePosition
from fsm_arb.results import result_of
from fsm_arb.risk.history import NS_PER_DAY, RiskHistory, RouteHistory, SymbolHistory
from fsm_arb.risk.holdings import Holding, Holdings
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.risk.tiers import Facts, VenueFacts, verdicts
from fsm_arb.risk.verdicts import Approved, RiskReduced, Verdict, strictest
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
    _holdings: Holdings = field(factory=Holdings)
    _health: dict[str, Health] = field(factory=dict)
    _headroom: dict[str, Decimal] = field(factory=dict)
    _scores: dict[str, Decimal] = field(factory=dict)
    _inventory: dict[tuple[str, str], Money] = field(factory=dict)
    _volatility: dict[str, Decimal] = field(factory=dict)
    _by_hand: int = 0  # results told without a trade

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
        self._by_hand += 1
        name = f"by hand {self._by_hand}"
        self.history = self.history.with_result(
            name, "", "", pnl.amount, now_ns=self.time_ns(), limits=self.limits
        ).forget(name)

    def round_trip(self, trade_id: str, legs: tuple[Leg, Leg], pnl: Money) -> None:
        """Take in what a position, or an entry that came to none, made or lost; told again, a correction of it.

        Args:
            trade_id: The entry's.
            legs: Its markets.
            pnl: In any currency that `fx` converts.

        Raises:
            FxUnavailable: It cannot be converted.
        """
        self.history = self.history.with_result(
            trade_id,
            route_of(legs),
            legs[0].base,
            self._converted(pnl),
            now_ns=self.time_ns(),
            limits=self.limits,
        )

    # -------------------------------------------------------------- what it is asked

    def check_cross_exchange_trade(self, decision: CrossExchangeDecision) -> Verdict:
        """Return whether *decision* may be begun, and reserve nothing. An exit always may.

        Raises:
            FxUnavailable: Its notional cannot be converted into the limits' currency.
        """
        if decision.action.is_exit:
            return Approved()
        self.history = self.history.on(self.time_ns())
        return strictest(verdicts(self.limits, self._facts(decision)))

    def admit(self, decision: CrossExchangeDecision) -> Verdict:
        """Return whether *decision* may be begun, and if it may, reserve its exposure until it has ended.

        Asked again for the same decision it does not count twice.

        Raises:
            FxUnavailable: Its notional cannot be converted into the limits' currency.
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

    def follow(self, trade: Memory, position: CrossExchangePosition | None) -> None:
        """Take in how a trade stands, as often as anything of it changes; at a start, every trade not yet forgotten.

        What it holds stays reserved while it runs, and at the size that is left while its position is open.
        A round trip's result is counted once its position is closed, or its entry has come to no position;
        a correction of it is counted as one.

        Args:
            trade: As it is known.
            position: The one it opened or closes; None where there is none.

        Raises:
            FxUnavailable: An amount cannot be converted into the limits' currency.
        """
        if position is not None and (trade.done or trade.decision.action.is_exit):
            self.stands(position)
        elif trade.decision.action.is_entry and not trade.done:
            self._still_running(trade)
        elif trade.decision.action.is_entry:
            self.let_go(trade.trade_id)
            pnl = result_of(trade).pnl
            if pnl is not None and any(order.filled for order in trade.orders):
                self.round_trip(trade.trade_id, trade.decision.legs, Money(pnl, trade.decision.legs[0].quote))

    def let_go(self, trade_id: str) -> None:
        """Release what a trade reserved: it was not begun, or ended with nothing."""
        self._holdings.drop(trade_id)

    def forget(self, trade_id: str) -> None:
        """Nothing of this trade will change any more: its result needs no correction."""
        self.history = self.history.forget(trade_id)

    def _still_running(self, trade: Memory) -> None:
        if self._holdings.get(trade.trade_id) is None:
            decision = trade.decision
            sells_first = decision.action is Action.ENTRY_POSITIVE
            self._hold(trade.trade_id, decision.legs, self._notional(decision), sells_first=sells_first)

    def stands(self, position: CrossExchangePosition) -> None:
        """Take in how a position stands: what is left of it is held; once it is closed, its result counts.

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
        if position.realised_pnl is not None:
            self.round_trip(name, position.legs, Money(position.realised_pnl, position.legs[0].quote))

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
            return self._converted(money)
        except FxUnavailable:
            if self.limits.judges_exposure:
                raise
            return ZERO

    def _converted(self, money: Money) -> Decimal:
        if money.currency == self.limits.currency:
            return money.amount
        return money.amount * self.fx.rate(money.currency, self.limits.currency).rate

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
        first, second = (Money(self._converted(worth), self.limits.currency) for worth in worths if worth is not None)
        return imbalance(first, second)
