"""Taking up a decision: what is asked of the venues before the first record that moves money."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from fsm_arb.checks import Readings, refusal
from fsm_arb.errors import FxUnavailable, InvalidInput, UnknownVenue, VenueUnanswered
from fsm_arb.fx import FxProvider, FxRate, misread
from fsm_arb.messages import Checked, Sized
from fsm_arb.plan import Plan
from fsm_arb.policy import ExecutionPolicy, seconds_ns
from fsm_arb.sizing import SizeRefused, SizingInputs, size
from fsm_arb.values import Balances, Health, MarketRules, Money, Side

if TYPE_CHECKING:
    from decimal import Decimal

    from fsm_arb.decision import CrossExchangeDecision
    from fsm_arb.executor.desk import Desk
    from fsm_arb.executor.services import Services
    from fsm_arb.position import CrossExchangePosition


@frozen(kw_only=True)
class Order:
    """What a decision amounts to before it is sized: its sides, and for an exit the position's quantity and FX."""

    decision: CrossExchangeDecision
    sides: tuple[Side, Side]
    quantity: Decimal | None = None
    position: CrossExchangePosition | None = None


def understood(decision: CrossExchangeDecision, services: Services) -> Order:
    """Return what *decision* asks for.

    Raises:
        UnknownVenue: A leg names a venue the executor was not given.
        PositionNotOpen: An exit names a position that is unknown.
        InvalidInput: An exit's legs are not its position's.
    """
    for index, leg in enumerate(decision.legs):
        if leg.exchange not in services.desks:
            known = ", ".join(sorted(services.desks))
            raise UnknownVenue(f"legs[{index}].exchange", leg.exchange, f"is not one of the venues: {known}")
    if decision.position_id is None:
        return Order(decision=decision, sides=decision.entry_sides())
    position = services.positions.get(decision.position_id)
    if position.legs != decision.legs:
        raise InvalidInput("legs", decision.legs, f"are not those of position {position.position_id}: {position.legs}")
    first, second = position.sides
    return Order(
        decision=decision, sides=(first.opposite, second.opposite), quantity=position.quantity, position=position
    )


class Opening:
    """Reads what the pre-checks and sizing need, from cache where it is young enough."""

    def __init__(self, services: Services, policy: ExecutionPolicy, fx: FxProvider) -> None:
        self._services = services
        self._policy = policy
        self._fx = fx
        self._age_ns = seconds_ns(policy.health_age_s)

    def warm(self, decision: CrossExchangeDecision) -> bool:
        """Whether a trade can be sized without asking any venue anything."""
        return all(self._desk(leg.exchange).warm(leg.symbol, self._age_ns) for leg in decision.legs)

    async def rules(self, decision: CrossExchangeDecision) -> tuple[MarketRules, MarketRules] | str:
        """Return both markets' rules, or which venue gives no answer.

        Raises:
            UnknownSymbol: A venue answers and does not list the symbol.
            VenueMisconfigured: An account cannot be traded safely as it is set up.
        """
        answers = await asyncio.gather(
            *(self._desk(leg.exchange).rules(leg.symbol) for leg in decision.legs), return_exceptions=True
        )
        said = [str(answer) for answer in answers if isinstance(answer, VenueUnanswered)]
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, VenueUnanswered):
                raise answer
        if said:
            return "; ".join(said)
        first, second = (answer for answer in answers if isinstance(answer, MarketRules))
        return first, second

    async def check(
        self, order: Order, rules: tuple[MarketRules, MarketRules] | str
    ) -> tuple[Checked, FxRate | str, Money | None]:
        """Ask health, FX and risk, and judge; return the verdict, the rate and how much of the notional risk allows."""
        now = self._services.clock.monotonic_ns()
        decision = order.decision
        health = await self._health(decision)
        if isinstance(rules, str):
            down = [reading.note or reading.status.value for reading in health if reading.status.value != "up"]
            because = f" ({'; '.join(down)})" if down else ""
            secrets = refusal(decision, self._policy, Readings(at_ns=0, health=health, fx="")) if down else ""
            return Checked(now=now, refusal=secrets or f"health: {rules}{because}"), rules, None
        fx = self._rate(order, rules)
        readings = Readings(at_ns=self._services.clock.time_ns(), health=health, fx=fx)
        said, room = refusal(decision, self._policy, readings) or self._unfit(decision), None
        if not said:  # asked last: what it lets pass is reserved
            said, room = await self._services.guarding.ask(decision)
        if room is not None and not said:
            said, room = self._in_notional(decision, room)
        text = dict(readings.as_text()) if room is None else {**readings.as_text(), "risk": f"room for {room}"}
        return Checked(now=now, refusal=said, readings=text), fx, room

    def _unfit(self, decision: CrossExchangeDecision) -> str:
        """Say which venue of an entry takes no orders, though it reads well."""
        if decision.action.is_exit:
            return ""
        words = [self._desk(leg.exchange).unfit for leg in decision.legs]
        return "; ".join(f"health: {each}" for each in words if each)

    async def plan(
        self, order: Order, rules: tuple[MarketRules, MarketRules], fx: FxRate, room: Money | None = None
    ) -> Sized:
        """Size the trade on the cached balances, and once more on fresh ones before funds say no."""
        order = self._reduced(order, room)
        plan = await self._sized(order, rules, fx, self._age_ns)
        if isinstance(plan, SizeRefused) and plan.rule == "funds":
            plan = await self._sized(order, rules, fx, 0)
        now = self._services.clock.monotonic_ns()
        return Sized(now=now, plan=plan) if isinstance(plan, Plan) else Sized(now=now, refusal=str(plan))

    async def _sized(
        self, order: Order, rules: tuple[MarketRules, MarketRules], fx: FxRate, age_ns: int
    ) -> Plan | SizeRefused:
        decision = order.decision
        try:
            first, second = await asyncio.gather(
                *(self._desk(leg.exchange).balances(age_ns) for leg in decision.legs), return_exceptions=False
            )
        except VenueUnanswered as error:
            if decision.action.is_entry:
                return SizeRefused("funds", f"balances cannot be read: {error}")
            first = second = (Balances(free={}), 0)
        free = self._free(decision.legs[0].exchange, first), self._free(decision.legs[1].exchange, second)
        # From here to the reservation nothing is awaited: two trades cannot both see the same funds as free.
        plan = size(
            SizingInputs(
                decision=decision,
                policy=self._policy,
                sides=order.sides,
                rules=rules,
                fx=fx,
                free=free,
                quantity=order.quantity,
                carried=self._services.residuals.of(decision.legs[0].base),
            )
        )
        if isinstance(plan, Plan):
            self._services.funds.reserve(decision.decision_id, held_by(plan))
            self._services.residuals.note(decision.decision_id, decision.legs[0].base, -plan.carried)
        return plan

    def _in_notional(self, decision: CrossExchangeDecision, room: Money) -> tuple[str, Money | None]:
        """Return what the risk guard leaves room for in the currency of the notional, or why that cannot be told."""
        ours = decision.legs[0].quote if decision.notional is None else decision.notional.currency
        if room.currency == ours:
            return "", room
        try:
            rate = self._fx.rate(room.currency, ours)
        except Exception as error:  # noqa: BLE001 - a provider is the bot's code
            return f"fx: the risk guard's room: {type(error).__name__}: {error}", None
        at_ns = self._services.clock.time_ns()
        wrong = misread(rate, room.currency, ours, at_ns, self._policy.fx_max_age_s)
        return (f"fx: the risk guard's room: {wrong}", None) if wrong else ("", Money(room.amount * rate.rate, ours))

    def _reduced(self, order: Order, room: Money | None) -> Order:
        """Return *order* with no more notional than the risk guard leaves *room* for, in its own currency."""
        notional = order.decision.notional
        if room is None or notional is None or notional < room:
            return order
        return evolve(order, decision=evolve(order.decision, notional=room))

    def _free(self, exchange: str, reading: tuple[Balances, int]) -> Balances:
        balances, asked_at = reading
        self._services.funds.read(exchange, asked_at)
        return self._services.funds.available(exchange, balances)

    async def _health(self, decision: CrossExchangeDecision) -> tuple[Health, Health]:
        first, second = await asyncio.gather(*(self._desk(leg.exchange).health(self._age_ns) for leg in decision.legs))
        return first, second

    def _rate(self, order: Order, rules: tuple[MarketRules, MarketRules]) -> FxRate | str:
        try:
            return self._fx.rate(rules[1].quote, rules[0].quote)
        except Exception as error:  # noqa: BLE001 - a provider is the bot's code; an exit never waits for it
            if order.position is None:
                return str(error) if isinstance(error, FxUnavailable) else f"{type(error).__name__}: {error}"
            rate = order.position.fx
            return FxRate(base=rules[1].quote, quote=rules[0].quote, rate=rate, source="the position's entry")

    def _desk(self, exchange: str) -> Desk:
        return self._services.desks[exchange]


def held_by(plan: Plan) -> list[tuple[str, Any]]:
    """Return what a plan holds back, by venue."""
    return [(leg.leg.exchange, money) for leg in plan.legs for money in leg.reserved]
