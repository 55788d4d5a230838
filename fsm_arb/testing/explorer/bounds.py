"""What is explored: how many lots, how many faults, under which policy; and two markets small enough to count in.

Times are whole units. The durations that a trade compares with each other
(how long an order may live, the fence of absence, the longest doubt) become
1, 2, 3 in their own order, so that every order of events they allow is still
there, and few moments are.
"""

from __future__ import annotations

import warnings
from decimal import Decimal

from attrs import evolve, field, frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.errors import InvalidInput
from fsm_arb.fx import FxRate
from fsm_arb.messages import LegSurvey, Surveyed
from fsm_arb.plan import Plan
from fsm_arb.policy import NS_PER_S, DoubtRemedy, ExecutionPolicy, Placement
from fsm_arb.sizing import SizingInputs, size
from fsm_arb.values import (
    ONE,
    Action,
    Balances,
    FeeIn,
    Leg,
    Level,
    MarketRules,
    Money,
    OrderBook,
    TickBand,
)

UNIT_S = 10  # seconds; one unit of time
UNIT = UNIT_S * NS_PER_S
LOTS_MAX = 7  # what three bits of a venue's order hold
WINDOW_MAX = 3  # units, the longest fence
PRICE = Decimal(100)
LEGS = (Leg("alpha", "BTC/USD"), Leg("beta", "BTC/USDT"))
# What survey number i shows; the trade's exposure says which venue leads.
SURVEYS = (
    "completing is cheaper",
    "unwinding is cheaper",
    "only completing can be sent",
    "only unwinding can be sent",
    "neither can be sent",
    "the leading venue is silent",
    "the lagging venue is silent",
    "funds pay for the least order only",
)
COSTLY_SURVEYS = frozenset({7})  # each of these is a fault


@frozen(kw_only=True)
class Bounds:
    """How far is explored.

    Attributes:
        lots: Size of the trade; a fill is a whole number of them.
        faults: What venues, networks and the machine may do wrong in one run, in units of the table of faults.
        policy: The policy; its durations keep their order and become small.
        attempts: The policy's `attempts_max` is cut down to this.
        least: The least order of both venues, lots; what is less is dust.
        crashes: Whether the process may die, at any point.
        lists_lag: Whether lists that should show an order may leave it out even past the fence, which is there to
            outlast that.

    Raises:
        InvalidInput: A number is out of range.
    """

    lots: int = field(default=2)
    faults: int = field(default=2)
    policy: ExecutionPolicy = field(factory=ExecutionPolicy)
    attempts: int = 2
    least: int = field(default=1)
    crashes: bool = True
    lists_lag: bool = False

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.lots <= LOTS_MAX:
            raise InvalidInput("lots", self.lots, f"must be 1 to {LOTS_MAX}")
        if not 1 <= self.least <= self.lots:
            raise InvalidInput("least", self.least, f"must be 1 to {self.lots}, the lots that are traded")
        if self.faults < 0:
            raise InvalidInput("faults", self.faults, "must be zero or more")
        if self.policy.doubt_remedy is DoubtRemedy.ACT_ON_KNOWN:
            why = "sends one remedy beside another as often as a venue is slow, so there is no end to what can happen"
            raise InvalidInput("doubt_remedy", self.policy.doubt_remedy.value, f"{why}; explore with wait")


@frozen(kw_only=True)
class World:
    """What is the same in every run: the decision, the plan, the policy in whole units."""

    bounds: Bounds
    policy: ExecutionPolicy
    decision: CrossExchangeDecision
    plan: Plan
    fence: int  # units after which an absent order is believed absent
    timeout: int  # units an order may live
    doubt: int  # units an order may stay in doubt

    @property
    def alike(self) -> bool:
        """Whether the legs can change places and nothing differs."""
        return self.policy.placement is Placement.SIMULTANEOUS

    @property
    def rests(self) -> bool:
        """Whether orders rest until they are cancelled."""
        return self.policy.order_type.value == "limit"

    def survey(self, kind: int, lead: int, sign: int, now: int) -> Surveyed:
        """Return what the venues show.

        Args:
            kind: Index into `SURVEYS`.
            lead: The leg that has brought more.
            sign: Of the remedies' side: +1 they buy, -1 they sell.
            now: Monotonic ns.
        """
        lag = 1 - lead
        shown: dict[int, LegSurvey | None] = {lead: _shows(1, sign), lag: _shows(1, sign)}
        match kind:
            case 0:
                shown[lag] = _shows(2, sign)
            case 1:
                shown[lead] = _shows(2, sign)
            case 2:
                shown[lead] = _shows(0, sign)
            case 3:
                shown[lag] = _shows(0, sign)
            case 4:
                shown = {leg: _shows(0, sign) for leg in shown}
            case 5:
                shown[lead] = None
            case 6:
                shown[lag] = None
            case _:
                shown = {leg: _shows(1, sign, pays_for=self.bounds.least) for leg in shown}
        return Surveyed(now=now, legs=(shown[0], shown[1]))


def _shows(better: int, sign: int, pays_for: int = 10_000) -> LegSurvey:
    """Return a book whose touch is *better* ticks better than the decision's price; 0: an empty book."""
    level = (Level(PRICE - sign * better * Decimal("0.01"), Decimal(1000)),) if better else ()
    book = OrderBook(bids=(), asks=level) if sign > 0 else OrderBook(bids=level, asks=())
    # A half more than the least: the limit of a buy lies above the touch.
    money = (pays_for + Decimal("0.5")) * PRICE
    return LegSurvey(book=book, balances=Balances(free={"BTC": Decimal(pays_for), "USD": money, "USDT": money}))


# ------------------------------------------------------------------ building it


def scaled(policy: ExecutionPolicy, attempts: int) -> ExecutionPolicy:
    """Return *policy* with its durations in whole units.

    The fence and the longest doubt are counted from the same moments, so they keep their order exactly.
    An order's time to live is counted from an earlier one: where it is the shortest it may be as short
    as the next. The two waits that are compared with nothing are one unit each.
    """
    fence, doubt, live = policy.absence_fence_s, policy.doubt_max_s, policy.fill_timeout_s
    steps = sorted({each for each in (fence, doubt, live) if each and (each is not live or live > min(fence, doubt))})

    def units(value: Decimal) -> Decimal:
        return Decimal(UNIT_S * max(sum(step <= value for step in steps), 1)) if value else Decimal(0)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # who wrote the policy was warned of its fence
        return evolve(
            policy,
            fill_timeout_s=units(live),
            absence_fence_s=units(fence),
            doubt_max_s=units(doubt),
            backoff_s=Decimal(UNIT_S if policy.backoff_s else 0),
            halted_retry_s=Decimal(UNIT_S),
            attempts_max=min(policy.attempts_max, attempts),
        )


def _rules(symbol: str, least: int) -> MarketRules:
    return MarketRules(
        symbol=symbol,
        base="BTC",
        quote=symbol.partition("/")[2],
        lot=ONE,
        ticks=(TickBand(Decimal(0), Decimal("0.01")),),
        amount_min=Decimal(least),
        fee_in=FeeIn.QUOTE,
    )


def world_of(bounds: Bounds) -> World:
    """Return what every run of *bounds* has in common.

    Raises:
        InvalidInput: The trade cannot be sized: the policy's bands do not fit.
    """
    policy = scaled(bounds.policy, bounds.attempts)
    decision = CrossExchangeDecision(
        action=Action.ENTRY_POSITIVE,
        legs=LEGS,
        notional=Money(PRICE * bounds.lots, "USD"),
        prices=(PRICE, PRICE),
        decision_id="explored",
    )
    rich = Balances(free={"BTC": Decimal(10**4), "USD": Decimal(10**6), "USDT": Decimal(10**6)})
    plan = size(
        SizingInputs(
            decision=decision,
            policy=policy,
            sides=decision.entry_sides(),
            rules=(_rules("BTC/USD", bounds.least), _rules("BTC/USDT", bounds.least)),
            fx=FxRate(base="USDT", quote="USD", rate=ONE, source="par"),
            free=(rich, rich),
        )
    )
    if not isinstance(plan, Plan):
        raise InvalidInput("policy", bounds.policy, str(plan))
    return World(
        bounds=bounds,
        policy=policy,
        decision=decision,
        plan=plan,
        fence=int(policy.absence_fence_s / UNIT_S),
        timeout=int(policy.fill_timeout_s / UNIT_S),
        doubt=int(policy.doubt_max_s / UNIT_S),
    )
