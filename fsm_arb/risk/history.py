"""What trades have made and lost, as far as limits look back. Frozen, so that it can be kept on a journal."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import evolve, field, frozen

from fsm_arb.policy import seconds_ns
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.values import ZERO

NS_PER_DAY = seconds_ns(Decimal(86_400))


@frozen(kw_only=True)
class RouteHistory:
    """One pair of markets."""

    losses: int = 0  # in a row
    cooldown_until_ns: int = 0


@frozen(kw_only=True)
class SymbolHistory:
    """One base asset."""

    result: Decimal = ZERO
    best: Decimal = ZERO  # the highest that it has ever been


@frozen(kw_only=True)
class Counted:
    """A round trip whose result has been counted; all that a correction of it needs, however late."""

    route: str
    asset: str
    pnl: Decimal  # in the limits' currency
    day: int
    rates: Mapping[str, Decimal] = field(factory=dict)  # the limits' currency for one unit, when it was first counted


@frozen(kw_only=True)
class RiskHistory:
    """Everything together. Money is in the limits' currency; days are counted from the epoch, in UTC."""

    day: int = 0
    daily: Decimal = ZERO
    result: Decimal = ZERO
    losses: int = 0  # in a row
    cooldown_until_ns: int = 0
    routes: Mapping[str, RouteHistory] = field(factory=dict)
    symbols: Mapping[str, SymbolHistory] = field(factory=dict)
    by_hand: int = 0  # results that were told without a trade
    counted: Mapping[str, Counted] = field(factory=dict)  # by trade id; those that may still be corrected

    @property
    def sums(self) -> RiskHistory:
        """The history without what corrections need: of the same size, however many trades there were."""
        return evolve(self, counted={})

    def on(self, now_ns: int) -> RiskHistory:
        """Return the history as it stands at *now_ns* (wall clock UTC): a new day begins at nothing.

        A clock that is set back begins none: the day that has begun goes on until a later one does.
        """
        day = now_ns // NS_PER_DAY
        return self if day <= self.day else evolve(self, day=day, daily=ZERO)

    def with_result(
        self,
        trade_id: str,
        route: str,
        asset: str,
        pnl: Decimal,
        *,
        now_ns: int,
        limits: RiskLimits,
        rates: Mapping[str, Decimal] | None = None,
    ) -> RiskHistory:
        """Return the history with what a trade made; told again, its correction.

        A correction changes sums. Runs of losses are counted once, by what was known first.

        Args:
            trade_id: The entry's.
            route: Its pair of markets.
            asset: What was traded.
            pnl: In the limits' currency.
            now_ns: Wall clock UTC.
            limits: When a run of losses is one too many.
            rates: What amounts in other currencies were converted at; a correction is converted at the same.
        """
        today = self.on(now_ns)
        if today is not self:
            return today.with_result(trade_id, route, asset, pnl, now_ns=now_ns, limits=limits, rates=rates)
        before = self.counted.get(trade_id)
        if before is not None:
            return self._corrected(trade_id, before, evolve(before, pnl=pnl, rates=rates or before.rates))
        lost = pnl < ZERO
        losses = self.losses + 1 if lost else 0
        own = self.routes.get(route, RouteHistory())
        route_losses = own.losses + 1 if lost else 0
        cooldown, route_cooldown = self.cooldown_until_ns, own.cooldown_until_ns
        if losses >= limits.consecutive_losses:
            cooldown = now_ns + seconds_ns(limits.cooldown_s)
        if route_losses >= limits.route.consecutive_losses:
            route_cooldown = now_ns + seconds_ns(limits.route.cooldown_s)
        after = RouteHistory(losses=route_losses, cooldown_until_ns=route_cooldown)
        counted = Counted(route=route, asset=asset, pnl=pnl, day=self.day, rates=rates or {})
        return evolve(
            self._plus(asset, pnl, today=True),
            losses=losses,
            cooldown_until_ns=cooldown,
            routes={**self.routes, route: after},
            counted={**self.counted, trade_id: counted},
        )

    def forget(self, trade_id: str) -> RiskHistory:
        """Return the history without what a correction would need: nothing of the trade will change any more."""
        if trade_id not in self.counted:
            return self
        return evolve(self, counted={name: each for name, each in self.counted.items() if name != trade_id})

    def recall(self, trade_id: str, counted: Counted) -> RiskHistory:
        """Return the history with what a correction of a trade needs. No sum changes: it was counted before."""
        return evolve(self, counted={**self.counted, trade_id: counted})

    def _corrected(self, trade_id: str, before: Counted, now: Counted) -> RiskHistory:
        if now == before:
            return self
        after = self._plus(before.asset, now.pnl - before.pnl, today=before.day == self.day)
        return evolve(after, counted={**self.counted, trade_id: now})

    def _plus(self, asset: str, pnl: Decimal, *, today: bool) -> RiskHistory:
        own = self.symbols.get(asset, SymbolHistory())
        result = own.result + pnl
        return evolve(
            self,
            daily=self.daily + pnl if today else self.daily,
            result=self.result + pnl,
            symbols={**self.symbols, asset: SymbolHistory(result=result, best=max(own.best, result))},
        )
