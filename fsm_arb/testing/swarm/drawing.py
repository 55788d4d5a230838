"""Draw an episode from its seed. Swarm style: of all that could go wrong, most is switched off in any one episode."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import evolve

from fsm_arb.machines.trade import TradeState
from fsm_arb.matching.market import FeeRule
from fsm_arb.policy import DoubtRemedy, ExecutionPolicy, Placement, Remedy
from fsm_arb.testing.simulated.books import Walk
from fsm_arb.testing.simulated.kinds import ROWS, STICKY, FaultKind, Operation
from fsm_arb.testing.simulated.options import VENUES, Created, VenueOptions, market
from fsm_arb.testing.swarm.door import AdapterTroubles
from fsm_arb.testing.swarm.episode import PAGE_SMALLEST, Act, Ask, Episode, Level, Mishap, Planned, VenuePlan
from fsm_arb.testing.swarm.focus import FOCUSES, Focus
from fsm_arb.testing.swarm.journal import DiskTroubles
from fsm_arb.values import OrderType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FOCUSED = 0.25  # share of the episodes that aim at something
# Operators tell of busts, so they are planned; nothing of ours edits an order.
NEVER = frozenset({FaultKind.BUST, FaultKind.REPLACE_LOSES_OLD})
PLAIN = "plain"
BASES = ("BTC", "ETH")
SIZES = (0.9, 1.4, 3.0, 10.0, 40.0)  # of the larger least order; what is below cannot be traded
LACKABLE = (
    "fetchClosedOrders", "fetchCanceledOrders", "fetchOrders", "fetchMyTrades", "fetchOrderTrades", "fetchOrder",
)  # fmt: skip
STATES = tuple(state.value for state in TradeState if state not in {TradeState.SIZING, TradeState.HEDGED})
SCALES: Mapping[Level, tuple[float, float]] = {
    Level.NONE: (0.0, 0.0),
    Level.SOME: (0.002, 0.05),
    Level.MANY: (0.01, 0.3),
}
WIDE = 15  # how much rarer a fault is drawn that lasts, or that every call can meet
SHARE_ON: Mapping[Level, float] = {Level.NONE: 0.0, Level.SOME: 0.25, Level.MANY: 0.4}  # of the kinds of fault


def draw(seed: int, focus: str | None = None) -> Episode:
    """Return the episode of *seed*.

    Args:
        seed: From which everything comes.
        focus: The name of one of `FOCUSES` to aim at, or empty for none; None: the seed decides.

    Raises:
        KeyError: There is no such focus.
    """
    dice = random.Random(f"episode {seed}")  # noqa: S311 - repeatable is what it must be
    level = dice.choices(tuple(Level), (1, 4, 5))[0]
    drawn = dice.choice(tuple(FOCUSES)) if dice.random() < FOCUSED else ""
    aim = FOCUSES[focus if focus is not None else drawn] if focus or (focus is None and drawn) else Focus()
    level = aim.level or (Level.SOME if aim.name and level is Level.NONE else level)
    asks_from = dice.uniform(0.2, 1.0)
    horizon = dice.choice((15.0, 30.0, 60.0))
    venues = _venues(dice, level, aim)
    asks = _asks(dice, venues, horizon * asks_from, aim)
    return Episode(
        seed=seed,
        focus=aim.name,
        level=level,
        policy=_policy(dice, aim),
        horizon_s=horizon,
        venues=venues,
        asks=asks,
        planned=_planned(dice, level, horizon, aim),
        disk=_disk(dice, level, aim),
        adapter=_adapter(dice, level, aim),
        alerts_down=aim.alerts_down or _maybe(dice, level, 0.5),
        ids_raise=aim.ids_raise or _maybe(dice, level, 0.05),
        walk=Walk(
            seed=seed,
            step_ms=dice.choice((250, 1_000, 1_000, 5_000)),
            swing_bps=dice.choice((5, 40, 200)),
            basis_bps=dice.choice((0, 6, 40)),
        ),
    )


def _maybe(dice: random.Random, level: Level, most: float) -> float:
    """Return a probability up to *most*; as a rule zero."""
    on, number = dice.random() < SHARE_ON[level], dice.random()
    return number * most if on else 0.0


def _policy(dice: random.Random, aim: Focus) -> ExecutionPolicy:
    policy = ExecutionPolicy(
        placement=dice.choice((Placement.SIMULTANEOUS, Placement.SEQUENTIAL)),
        order_type=dice.choice(tuple(OrderType)),
        fill_timeout_s=_number(dice, 1, 8),
        request_timeout_s=_number(dice, 2, 10),
        slippage_bps=_number(dice, 5, 60),
        widen_bps=_number(dice, 0, 60),
        attempts_max=dice.choices((0, 1, 2, 3, 5), (1, 2, 2, 3, 4))[0],
        backoff_s=_number(dice, 0, 1),
        remedy=dice.choice(tuple(Remedy)),
        max_remedy_loss_bps=_number(dice, 60, 600),
        poll_interval_s=_number(dice, 0.2, 1),
        absence_fence_s=_number(dice, 10, 20),
        doubt_max_s=dice.choice((_number(dice, 0, 10), _number(dice, 20, 120))),
        doubt_remedy=dice.choices((DoubtRemedy.WAIT, DoubtRemedy.ACT_ON_KNOWN), (4, 1))[0],
        send_max_age_s=_number(dice, 0.5, 5),
        halted_retry_s=_number(dice, 5, 30),
        watch_after_done_s=_number(dice, 40, 90),
        health_age_s=dice.choice((Decimal(0), _number(dice, 1, 30))),
    )
    return evolve(policy, **aim.policy) if aim.policy else policy


def _number(dice: random.Random, low: float, high: float) -> Decimal:
    return Decimal(str(round(dice.uniform(low, high), 2)))


# ------------------------------------------------------------------ venues


def _venues(dice: random.Random, level: Level, aim: Focus) -> tuple[VenuePlan, ...]:
    count = dice.choices((2, 3), (4, 1))[0]
    chosen = sorted(dice.sample(tuple(MAKERS), count))
    plans = []
    for name in chosen:
        lacks = _lacks(dice, name, aim)
        options = _options(dice, MAKERS[name](), aim).without(*lacks)
        faults = _faults(dice, level, aim)
        if name == PLAIN:
            # Nothing is known of such a venue, so its word about a price is all there is: right or wrong.
            faults.pop(FaultKind.AVERAGE_WRONG, None)
        plans.append(VenuePlan(options=options, faults=faults, lacks=lacks))
    return tuple(plans)


def _plain() -> VenueOptions:
    """Return a venue that the library has no row of its own for."""
    markets = (
        market("BTC/USDT", lot="0.0001", tick="0.1", notional_min="10", fee="0.002"),
        market("ETH/USDT", lot="0.001", tick="0.01", notional_min="10", fee="0.002"),
    )
    balances = {"USDT": Decimal(1_000_000), "BTC": Decimal(10), "ETH": Decimal(200)}
    return VenueOptions(name=PLAIN, markets=markets, balances=balances, fee_rule=FeeRule.RECEIVED)


MAKERS: Mapping[str, Callable[[], VenueOptions]] = {**VENUES, PLAIN: _plain}


def _options(dice: random.Random, usual: VenueOptions, aim: Focus) -> VenueOptions:
    rich = dice.random() < aim.rich
    scale = Decimal(1) if rich else Decimal(str(dice.choice((0.0005, 0.002, 0.01))))
    latency = dice.choice(((1.0, 5.0), (5.0, 50.0), (50.0, 300.0)))
    depth = dice.choice((1, 5, 50, 2_000))
    return evolve(
        usual,
        markets=tuple(each for each in usual.markets if each.base in BASES),
        balances={asset: amount * scale for asset, amount in usual.balances.items()},
        latency_ms=aim.latency or latency,
        timeout_ms=dice.choice((1_000, 5_000, 12_000)),
        created=dice.choice(tuple(Created)) if usual.name == PLAIN else usual.created,
        page=dice.choice((usual.page, usual.page, PAGE_SMALLEST)),
        calls_per_s=dice.choice((None, None, 20)),
        depth=Decimal(aim.depth or depth),
    )


def _lacks(dice: random.Random, name: str, aim: Focus) -> tuple[str, ...]:
    """Return what a venue does not offer that the library has no row of its own for."""
    if name != PLAIN:
        return ()
    return tuple(each for each in LACKABLE if dice.random() < aim.lacks)


def _faults(dice: random.Random, level: Level, aim: Focus) -> dict[FaultKind, float]:
    low, high = SCALES[level]
    faults = {}
    for row in ROWS:
        on, share = dice.random() < SHARE_ON[level], dice.random()
        if on and row.kind not in NEVER:
            probability = low + (high - low) * share * share
            # What holds on, or meets every call, would else be all that ever happens.
            wide = row.kind in STICKY or Operation.BOOK in row.operations
            faults[row.kind] = probability / WIDE if wide else probability
    faults.update(aim.faults)
    return _bounded(faults)


def _bounded(faults: dict[FaultKind, float]) -> dict[FaultKind, float]:
    """Return *faults* scaled so that the chances of no operation add up to more than nine in ten."""
    sums = [sum(faults.get(row.kind, 0.0) for row in ROWS if operation in row.operations) for operation in Operation]
    scale = min(1.0, 0.9 / max(sums)) if max(sums) > 0 else 1.0
    return {kind: probability * scale for kind, probability in faults.items()}


# ------------------------------------------------------------------ what the bot asks for


def _asks(dice: random.Random, venues: Sequence[VenuePlan], until_s: float, aim: Focus) -> tuple[Ask, ...]:
    count = dice.choices((1, 2, 3, 5), (3, 4, 3, 1))[0]
    times = sorted(round(dice.uniform(0, until_s), 3) for _ in range(count))
    asks = []
    for number, at_s in enumerate(times, 1):
        first, second = dice.sample(venues, 2)
        asks.append(
            Ask(
                number=number,
                at_s=at_s if number > 1 else round(at_s / 10, 3),
                exits=dice.random() < aim.exits,
                base=dice.choice(BASES),
                venues=(first.name, second.name),
                positive=dice.random() < 0.5,  # noqa: PLR2004 - a fair coin
                size=dice.choices(SIZES, (1, 3, 4, 4, 4))[0],
                drift_bps=dice.choice((0.0, 0.0, 5.0, -5.0, 50.0, -50.0)),
                dated=dice.random() < 0.2,  # noqa: PLR2004 - now and then
                impatience_s=round(dice.uniform(0.01, 5), 3) if dice.random() < 0.2 else None,  # noqa: PLR2004
            )
        )
    return tuple(asks)


# ------------------------------------------------------------------ what happens once


def _planned(dice: random.Random, level: Level, horizon_s: float, aim: Focus) -> tuple[Planned, ...]:
    most = {Level.NONE: 0, Level.SOME: 1, Level.MANY: 3}[level]
    wanted: list[Mishap | Act] = [dice.choice(tuple(Mishap)) for _ in range(dice.randint(0, most))]
    wanted += [dice.choice(tuple(Act)) for _ in range(dice.randint(0, most))]
    planned = [_one(dice, number, what, horizon_s) for number, what in enumerate(wanted, 1)]
    for what, state in aim.planned:
        one = _one(dice, len(planned) + 1, what, horizon_s)
        planned.append(evolve(one, state=state, at_s=0.0) if state else one)
    return tuple(planned)


def _one(dice: random.Random, number: int, what: Mishap | Act, horizon_s: float) -> Planned:
    by_state = dice.random() < 0.5 and isinstance(what, Mishap)  # noqa: PLR2004 - a fair coin
    return Planned(
        key=f"planned {number}: {what.value}",
        what=what,
        at_s=round(dice.uniform(0, horizon_s), 3),
        state=dice.choice(STATES) if by_state else "",
        delay_s=dice.choice((0.0, round(dice.uniform(0, 0.2), 4), round(dice.uniform(0, 5), 3))),
    )


# ------------------------------------------------------------------ our own side


def _disk(dice: random.Random, level: Level, aim: Focus) -> DiskTroubles:
    drawn = DiskTroubles(
        full=_maybe(dice, level, 0.05),
        failed=_maybe(dice, level, 0.05),
        slow=_maybe(dice, level, 0.1),
        ours=_maybe(dice, level, 0.05),
        span_s=round(dice.uniform(0.1, 12), 2),
        slow_s=round(dice.uniform(0.05, 15), 2),
    )
    return evolve(drawn, **aim.disk) if aim.disk else drawn


def _adapter(dice: random.Random, level: Level, aim: Focus) -> AdapterTroubles:
    drawn = AdapterTroubles(
        place_raises=_maybe(dice, level, 0.2),
        place_cancelled=_maybe(dice, level, 0.2),
        others_raise=_maybe(dice, level, 0.05),
    )
    return evolve(drawn, **aim.adapter) if aim.adapter else drawn
