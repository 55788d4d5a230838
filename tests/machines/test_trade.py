"""The trade machine: every state, trigger and view."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from fsm_arb.choice import Standing
from fsm_arb.errors import GuardRefused, IllegalTrigger
from fsm_arb.machines import trade as machine
from fsm_arb.machines.table import Guard
from fsm_arb.machines.trade import (
    TRADE_ENGINE,
    TRADE_TABLE,
    Checks,
    Placing,
    TradeState,
    TradeTriggers,
    TradeView,
)
from fsm_arb.messages import Kind, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsm_arb.machines.table import Row

MATCHED, FLAT, UNMATCHED, UNSETTLED = Standing.MATCHED, Standing.FLAT, Standing.UNMATCHED, Standing.UNSETTLED
NOT_AT_REST = {UNSETTLED, UNMATCHED}
TRIGGERS = (
    "checks_passed",
    "checks_refused",
    "abort",
    "sized",
    "size_refused",
    "placed",
    "settled",
    "short",
    "deadline",
    "unwind",
    "wall",
    "complete",
    "resume",
    "booked",
    "disturbed",
)

# Every edge there is and when it is true, written out by hand. Whatever is not here must raise.
EDGES: dict[tuple[str, str, str], Callable[[TradeView], bool]] = {
    ("PRECHECK", "checks_passed", "SIZING"): lambda v: not v.aborting and v.checks is Checks.PASSED,
    ("PRECHECK", "checks_refused", "DONE"): lambda v: not v.aborting and v.checks is Checks.REFUSED,
    ("PRECHECK", "abort", "DONE"): lambda v: v.aborting,
    ("SIZING", "sized", "PLACING"): lambda v: not v.aborting and v.sizing is Checks.PASSED,
    ("SIZING", "size_refused", "DONE"): lambda v: not v.aborting and v.sizing is Checks.REFUSED,
    ("SIZING", "abort", "DONE"): lambda v: v.aborting,
    ("PLACING", "placed", "MONITORING"): lambda v: v.placing is Placing.ACCEPTED,
    ("PLACING", "placed", "PARTIAL"): lambda v: v.placing is Placing.MIXED,
    ("PLACING", "placed", "DONE"): lambda v: v.placing is Placing.REFUSED,
    ("MONITORING", "settled", "HEDGED"): lambda v: v.standing is MATCHED,
    ("MONITORING", "settled", "DONE"): lambda v: v.standing is FLAT,
    ("MONITORING", "settled", "PARTIAL"): lambda v: v.standing is UNMATCHED,
    ("MONITORING", "short", "PARTIAL"): lambda v: v.standing is UNSETTLED and v.short,
    ("MONITORING", "deadline", "PARTIAL"): lambda v: v.standing is UNSETTLED and not v.short and v.overdue,
    ("PARTIAL", "settled", "HEDGED"): lambda v: v.standing is MATCHED,
    ("PARTIAL", "settled", "DONE"): lambda v: v.standing is FLAT,
    ("PARTIAL", "unwind", "ROLLBACK"): lambda v: v.standing is UNMATCHED and v.choice is Kind.UNWIND,
    ("PARTIAL", "wall", "HALTED"): lambda v: v.standing in NOT_AT_REST and v.choice is Kind.HALT,
    ("ROLLBACK", "settled", "HEDGED"): lambda v: v.standing is MATCHED,
    ("ROLLBACK", "settled", "DONE"): lambda v: v.standing is FLAT,
    ("ROLLBACK", "complete", "PARTIAL"): lambda v: v.standing is UNMATCHED and v.choice is Kind.COMPLETE,
    ("ROLLBACK", "wall", "HALTED"): lambda v: v.standing in NOT_AT_REST and v.choice is Kind.HALT,
    ("HALTED", "settled", "HEDGED"): lambda v: v.standing is MATCHED,
    ("HALTED", "settled", "DONE"): lambda v: v.standing is FLAT,
    ("HALTED", "resume", "PARTIAL"): lambda v: (
        v.standing is UNMATCHED and v.retry_due and v.choice in {Kind.COMPLETE, Kind.UNWIND}
    ),
    ("HEDGED", "booked", "DONE"): lambda v: v.standing is MATCHED,
    ("HEDGED", "disturbed", "PARTIAL"): lambda v: v.standing in NOT_AT_REST,
    ("DONE", "disturbed", "PARTIAL"): lambda v: v.standing in NOT_AT_REST,
}
SOURCES = {edge[:2] for edge in EDGES}
BOTH = (False, True)


def views(state: str) -> Iterator[TradeView]:
    """Yield every view over the fields that any row of *state* reads; the other fields are constant."""
    every = {
        "aborting": BOTH,
        "checks": tuple(Checks),
        "sizing": tuple(Checks),
        "placing": tuple(Placing),
        "standing": tuple(Standing),
        "short": BOTH,
        "overdue": BOTH,
        "retry_due": BOTH,
        "choice": tuple(Kind),
    }
    read = {each.field for row in TRADE_TABLE.rows_from(state) for each in row.guards}
    fields = {name: values for name, values in every.items() if name in read}
    for values in itertools.product(*fields.values()):
        yield TradeView(**dict(zip(fields, values, strict=True)))


class Driven(TradeTriggers):
    """A trade that only moves."""

    def __init__(self, state: str) -> None:
        self.state = state
        self.rows: list[Row] = []

    def on_move(self, row: Row) -> None:
        self.rows.append(row)


@pytest.mark.parametrize(("state", "trigger"), [*itertools.product(TradeState, TRIGGERS)])
def test_every_state_and_trigger_moves_as_written_or_raises_and_changes_nothing(state: str, trigger: str) -> None:
    """In every view; there is no third thing that a trigger can do."""
    for view in views(state):
        trade = Driven(str(state))
        dests = [edge[2] for edge, true in EDGES.items() if edge[:2] == (state, trigger) and true(view)]
        if dests:
            row = getattr(trade, trigger)(view)
            assert (row.source, row.trigger, row.dest) == (state, trigger, dests[0])
            assert (trade.state, trade.rows) == (dests[0], [row])
        else:
            refusal = GuardRefused if (state, trigger) in SOURCES else IllegalTrigger
            with pytest.raises(refusal, match=r"^trade: "):
                getattr(trade, trigger)(view)
            assert (trade.state, trade.rows) == (state, [])


@pytest.mark.parametrize("state", TradeState)
def test_at_most_one_edge_is_true_over_all_triggers(state: str) -> None:
    """Whoever asks which edge is true gets one answer or none."""
    for view in views(state):
        enabled = TRADE_TABLE.enabled(state, view)
        expected = [edge for edge, true in EDGES.items() if edge[0] == state and true(view)]
        assert [(row.source, row.trigger, row.dest) for row in enabled] == expected
        assert len(enabled) <= 1


def test_the_table_is_what_is_written_here() -> None:
    """Edge by edge, each once."""
    assert Counter((row.source, row.trigger, row.dest) for row in TRADE_TABLE.rows) == Counter(list(EDGES))


def test_there_is_a_typed_method_for_each_trigger_and_for_nothing_else() -> None:
    """The engine is reached by a method that a reader can find."""
    assert set(TRADE_TABLE.triggers) == set(TRIGGERS)
    own = {name for name, value in vars(TradeTriggers).items() if callable(value) and not name.startswith("_")}
    assert own == {*TRIGGERS, "on_move"}
    for trigger in TRIGGERS:
        hints = getattr(TradeTriggers, trigger).__annotations__
        assert hints == {"view": "TradeView", "return": "Row"}


def test_a_class_that_records_nothing_cannot_move() -> None:
    """Recording is not optional."""

    class Mute(TradeTriggers):
        state = "HEDGED"

    mute = Mute()
    with pytest.raises(NotImplementedError):
        mute.booked(TradeView(standing=MATCHED))
    assert mute.state == "HEDGED"


def test_what_each_row_that_ends_a_trade_says_it_came_to() -> None:
    """Booking says for itself whether it was all."""
    outcomes = {(row.source, row.trigger): row.outcome for row in TRADE_TABLE.rows if row.dest == "DONE"}
    assert outcomes == {
        ("PRECHECK", "checks_refused"): "blocked",
        ("PRECHECK", "abort"): "failed",
        ("SIZING", "size_refused"): "failed",
        ("SIZING", "abort"): "failed",
        ("PLACING", "placed"): "failed",
        ("MONITORING", "settled"): "failed",
        ("PARTIAL", "settled"): "failed",
        ("ROLLBACK", "settled"): "rolled_back",
        ("HALTED", "settled"): "rolled_back",
        ("HEDGED", "booked"): None,
    }
    assert {outcome for outcome in outcomes.values() if outcome} <= {each.value for each in Outcome}
    assert [row for row in TRADE_TABLE.rows if row.outcome and row.dest != "DONE"] == []


def test_nothing_that_lives_or_is_naked_leads_to_done_once_orders_were_sent() -> None:
    """A terminal edge needs settled, or every order refused."""
    for row in TRADE_TABLE.rows:
        if row.dest == "DONE" and row.source not in {"PRECHECK", "SIZING"}:
            allowed = {each.field: each.allowed for each in row.guards}
            assert allowed.get("standing", frozenset()) <= {MATCHED, FLAT}
            assert "standing" in allowed or allowed["placing"] == {Placing.REFUSED}


def test_no_row_reads_a_fill() -> None:
    """A venue's word is never vetoed: guards read what the ledger amounts to, and nothing that was reported."""
    read = {each.field for row in TRADE_TABLE.rows for each in row.guards}
    assert read == {"aborting", "checks", "sizing", "placing", "standing", "short", "overdue", "retry_due", "choice"}


def test_every_row_says_why_in_one_sentence() -> None:
    """A reader of the table learns what happened in the world."""
    assert [row for row in TRADE_TABLE.rows if not row.why.endswith(".") or not row.why[0].isupper()] == []


def test_no_trade_is_ever_registered() -> None:
    """Trades are lent to the engine for one move each."""
    for _ in range(100):
        Driven("HEDGED").booked(TradeView(standing=MATCHED))
    assert TRADE_ENGINE._machine.models == []


def test_a_new_trade_is_to_be_checked_first() -> None:
    """And may end only in one state."""
    assert TRADE_TABLE.initial == "PRECHECK"
    assert TRADE_TABLE.final == {"DONE"}


def test_a_guard_is_called_in_the_diagram_what_it_is_called_in_the_source() -> None:
    """Whoever reads one finds the other; one says in full what the source shortens."""
    guards = {name: each for name, each in vars(machine).items() if isinstance(each, Guard)}
    in_full = {"not_at_rest": "neither_matched_nor_flat"}
    assert {name: each.name for name, each in guards.items()} == {name: name for name in guards} | in_full
    assert {each for row in TRADE_TABLE.rows for each in row.guards} == set(guards.values())


def test_a_trade_ends_when_it_is_done() -> None:
    """And nowhere else, least of all where it is halted; nobody can add to that."""
    assert TRADE_TABLE.final == {"DONE"}
    assert isinstance(TRADE_TABLE.final, frozenset)


def test_a_view_of_nothing_opens_no_edge() -> None:
    """What is not yet known is not assumed."""
    view = TradeView()
    assert (view.aborting, view.short, view.overdue, view.retry_due) == (False, False, False, False)
    assert (view.checks, view.sizing, view.placing) == (Checks.PENDING, Checks.PENDING, Placing.WAITING)
    assert (view.standing, view.choice) == (UNSETTLED, Kind.WAIT)
    still = {state for state in TradeState if not TRADE_TABLE.enabled(state, view)}
    assert still == set(TradeState) - {TradeState.HEDGED, TradeState.DONE}  # which something that lives disturbs
