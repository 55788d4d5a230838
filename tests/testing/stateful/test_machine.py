"""No sequence of what venues, networks and processes do leaves a naked leg: the search, and that it can find."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from attrs import evolve
from broken_cores import (
    absence_believed_early,
    base_fee_ignored,
    cancel_believed,
    doubt_is_refusal,
    hedge_from_request,
    last_reading_believed,
    late_fill_dropped,
)
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.policy import POLICY_FIELDS, ExecutionPolicy
from fsm_arb.testing.stateful import Ending, NakedLeg, TradeMachine, configured
from fsm_arb.testing.strategies import policies, scenarios
from fsm_arb.values import ZERO, FeeIn, Leg, MarketRules, TickBand

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsm_arb.testing.strategies import Scenario

EXAMPLES = 120  # of each search that every run of the suite makes; `--fsm-arb-depth` multiplies it
SEARCHES_MAX = 6  # of both machines; the first two or so take every edge
# Fixed, so that a failure is the failure of whoever changed something; nothing is shrunk, nothing is kept.
FIXED: dict[str, Any] = {
    "derandomize": True,
    "database": None,
    "phases": [Phase.generate],
    "report_multiple_bugs": False,
    "print_blob": False,
}


RULES = MarketRules(
    symbol="BTC/USD",
    base="BTC",
    quote="USD",
    lot=Decimal("0.01"),
    ticks=(TickBand(ZERO, Decimal("0.01")),),
    taker_fee=Decimal("0.001"),
    fee_in=FeeIn.QUOTE,
)
DEFAULTS = {name: getattr(ExecutionPolicy(), name) for name in POLICY_FIELDS}
DRAWN = {"placement", "order_type", "remedy"}


class EdgesReached(TradeMachine):
    """Remembers along which rows of the table its trades have gone."""

    reached: ClassVar[set[tuple[str, str, str]]] = set()
    restarted: ClassVar[set[str]] = set()  # in which states a process died

    def teardown(self) -> None:
        super().teardown()
        if self.world is not None:
            for entry in self.world.entries:
                if entry.trigger == "restarted":
                    self.restarted.add(entry.before)
                elif entry.before != entry.after:
                    self.reached.add((entry.before, entry.trigger, entry.after))


class Unwinding(EdgesReached):
    """On two usual markets, where undoing is tried first: what is seldom anywhere is not so seldom here."""

    scenarios = scenarios(
        markets=st.just((RULES, evolve(RULES, symbol="BTC/USDT", quote="USDT"))),
        policies=policies(**(DEFAULTS | {"remedy": "unwind", "attempts_max": st.sampled_from([2, 1, 3])})),
        too_small=False,
    )


def test_no_sequence_leaves_a_naked_leg_and_every_edge_is_taken(fsm_arb_depth: int) -> None:
    """Judged after every rule and at the end; and a search that left an edge out would have shown nothing of it."""
    due = {(row.source, row.trigger, row.dest) for row in TRADE_TABLE.rows}
    # A trade stays in HEDGED for the length of one event, so nothing can disturb it there.
    due.remove(("HEDGED", "disturbed", "PARTIAL"))
    for number in range(SEARCHES_MAX):
        for base in (EdgesReached, Unwinding):
            machine = type(f"{base.__name__}{number}", (base,), {})  # another name is another search
            run_state_machine_as_test(machine, settings=configured(max_examples=EXAMPLES * fsm_arb_depth, **FIXED))
        if due <= EdgesReached.reached:
            break
    assert due - EdgesReached.reached == set()
    assert EdgesReached.restarted >= {"PLACING", "MONITORING", "PARTIAL", "ROLLBACK", "HALTED", "DONE"}


# ------------------------------------------------------------------ one's own trades


LEGS = (Leg("upbit", "ETH/KRW"), Leg("binance", "ETH/USDT"))


class Mine(TradeMachine):
    """As a user writes it."""

    policy = ExecutionPolicy(placement="sequential", attempts_max=2)
    scenarios = scenarios(legs=LEGS, policies=st.just(policy))
    seen: ClassVar[list[Scenario]] = []

    def teardown(self) -> None:
        super().teardown()
        if self.world is not None:
            self.seen.append(self.world.scenario)


def test_a_subclass_attacks_what_is_ones_own() -> None:
    """One's own policy on one's own markets, and nothing else."""
    run_state_machine_as_test(Mine, settings=configured(max_examples=15, **FIXED))
    assert {each.policy.attempts_max for each in Mine.seen} == {2}
    assert {each.decision.legs for each in Mine.seen} == {LEGS}


def test_the_settings_keep_what_they_are_given() -> None:
    """And know no deadline: machines are noisy."""
    chosen = configured(max_examples=7)
    assert isinstance(chosen, settings)
    assert (chosen.max_examples, chosen.deadline) == (7, None)


# ------------------------------------------------------------------ can it find?


class Plain(TradeMachine):
    """Two usual markets, one of which keeps its fee in base: a break is found sooner where less is drawn."""

    scenarios = scenarios(
        markets=st.just((RULES, evolve(RULES, symbol="BTC/USDT", quote="USDT", fee_in=FeeIn.BASE_ON_BUY))),
        policies=policies(**{name: default for name, default in DEFAULTS.items() if name not in DRAWN}),
        too_small=False,
    )
    endings = st.just(Ending.FAIR)


@pytest.mark.parametrize(
    ("broken", "machine"),
    [
        (late_fill_dropped, Plain),
        (doubt_is_refusal, Plain),
        (hedge_from_request, Plain),
        (cancel_believed, Plain),
        (base_fee_ignored, Plain),
        (absence_believed_early, TradeMachine),
        (last_reading_believed, Plain),
    ],
)
def test_a_broken_core_is_found(
    broken: Callable[[pytest.MonkeyPatch], None], machine: type[TradeMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each deliberately broken variant of the core fails the same search, in the words of a broken promise."""
    broken(monkeypatch)
    with pytest.raises(NakedLeg, match=r"invariant \d+|naked|the venues hold"):
        run_state_machine_as_test(machine, settings=configured(max_examples=1000, **FIXED))
