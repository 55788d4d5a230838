"""The strict wrapper: what a table may hold, and what firing does and never does."""

from __future__ import annotations

import enum
import itertools
import logging
from collections.abc import Callable, Iterator

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from fsm_arb.errors import GuardRefused, IllegalTrigger, MachineError, TableInvalid
from fsm_arb.machines.table import Engine, Guard, Row, Table, drives, guard


class Door(enum.StrEnum):
    """States of a toy machine."""

    SHUT = "SHUT"
    AJAR = "AJAR"
    WIDE = "WIDE"


class Wind(enum.Enum):
    CALM = "calm"
    BREEZE = "breeze"
    STORM = "storm"


@frozen
class View:
    wind: Wind = Wind.CALM
    key: bool = True


calm = guard("calm", "wind", Wind.CALM, doc="No wind.")
windy = guard("windy", "wind", Wind.BREEZE, Wind.STORM, doc="Some wind.")
storm = guard("storm", "wind", Wind.STORM, doc="Much wind.")
has_key = guard("has_key", "key", True, doc="The key is at hand.")

UNLOCK = Row(Door.SHUT, "unlock", Door.AJAR, (has_key,), "Someone came home.")
OPEN = Row(Door.AJAR, "push", Door.WIDE, (calm,), "Nothing pushes back.")
SLAM = Row(Door.AJAR, "push", Door.SHUT, (storm, has_key), "The wind wins.", "slammed")
AIR = Row(Door.AJAR, "wait", Door.AJAR, (guard("breeze", "wind", Wind.BREEZE, doc="A breeze."),))
CLOSE = Row(Door.WIDE, "pull", Door.SHUT)
ROWS = (UNLOCK, OPEN, SLAM, AIR, CLOSE)

VIEWS = tuple(View(wind, key) for wind, key in itertools.product(Wind, (True, False)))

# Every move there is, written out by hand. Whatever is not here must raise.
MOVES = {
    **{("SHUT", "unlock", View(wind, key=True)): UNLOCK for wind in Wind},
    ("AJAR", "push", View(Wind.CALM, key=True)): OPEN,
    ("AJAR", "push", View(Wind.CALM, key=False)): OPEN,
    ("AJAR", "push", View(Wind.STORM, key=True)): SLAM,
    ("AJAR", "wait", View(Wind.BREEZE, key=True)): AIR,
    ("AJAR", "wait", View(Wind.BREEZE, key=False)): AIR,
    **{("WIDE", "pull", view): CLOSE for view in VIEWS},
}
SOURCES = {("SHUT", "unlock"), ("AJAR", "push"), ("AJAR", "wait"), ("WIDE", "pull")}


def table(*rows: Row, initial: str = "SHUT", final: frozenset[str] = frozenset({"SHUT"})) -> Table:
    return Table(name="door", states=Door, initial=initial, final=final, rows=rows)


TABLE = table(*ROWS)
ENGINE = Engine(TABLE)


def nothing(_row: Row) -> None:
    """A record that succeeds."""


@define(eq=False)
class Model:
    """Remembers each row it recorded and the state it was in then."""

    state: str = "SHUT"
    recording: Callable[[Row], object] = nothing
    seen: list[tuple[str, Row]] = field(factory=list)

    def on_move(self, row: Row) -> None:
        self.seen.append((self.state, row))
        self.recording(row)


# ------------------------------------------------------------------ guards and rows


def test_a_guard_is_true_for_its_allowed_values_only() -> None:
    """A guard reads one field and nothing else."""
    assert [view for view in VIEWS if windy(view)] == [view for view in VIEWS if view.wind is not Wind.CALM]


def test_a_guard_carries_its_name_where_a_function_would() -> None:
    """Whatever prints a callable prints the guard's name."""
    assert [each.__name__ for each in (calm, windy, storm)] == ["calm", "windy", "storm"]


def test_a_guard_on_a_field_that_the_view_lacks_is_an_error() -> None:
    """A misspelt field is never just false."""
    with pytest.raises(AttributeError):
        guard("odd", "no_such_field", 1, doc="")(View())


def test_a_guard_prints_what_it_was_made_of() -> None:
    """And not how it keeps that."""
    assert "_values" not in repr(calm)


def test_a_row_says_no_more_than_it_was_given() -> None:
    """Neither a reason nor an end is made up."""
    assert (CLOSE.guards, CLOSE.why, CLOSE.outcome) == ((), "", None)


def test_a_row_prints_its_edge_with_trigger_and_guards() -> None:
    """Messages and diagrams name a row the same way."""
    assert str(SLAM) == "AJAR -- push [storm and has_key] --> SHUT"
    assert CLOSE.label == "pull"


def test_a_guard_without_a_name_is_not_printed() -> None:
    """The trigger says it already; of several the named ones are."""
    silent = guard("", "wind", Wind.CALM, doc="No wind.")
    assert Row(Door.AJAR, "calmed", Door.SHUT, (silent,)).label == "calmed"
    assert Row(Door.AJAR, "calmed", Door.SHUT, (silent, has_key)).label == "calmed [has_key]"


def test_of_two_rows_along_one_edge_the_first_is_found() -> None:
    """As they were declared, under conditions that exclude each other."""
    again = Row(Door.AJAR, "push", Door.WIDE, (guard("breeze", "wind", Wind.BREEZE, doc="A breeze."),))
    assert table(UNLOCK, OPEN, again, SLAM, CLOSE).find("AJAR", "push", "WIDE") is OPEN
    assert table(UNLOCK, again, OPEN, SLAM, CLOSE).find("AJAR", "push", "WIDE") is again


def test_states_are_plain_text_whatever_the_rows_were_written_with() -> None:
    """What reaches the journal is str, never an enum's member."""
    assert {type(text) for row in ROWS for text in (row.source, row.dest)} == {str}
    assert type(Row(Door.SHUT, Door.AJAR, Door.WIDE).trigger) is str
    assert {type(text) for text in (*TABLE.states, TABLE.initial, *TABLE.final)} == {str}


# ------------------------------------------------------------------ reading a table


def test_a_table_shows_its_states_triggers_and_rows_in_the_order_they_were_declared() -> None:
    """Diagrams and documents depend on the order, so it is the author's."""
    assert TABLE.states == ("SHUT", "AJAR", "WIDE")
    assert TABLE.triggers == ("unlock", "push", "wait", "pull")
    assert TABLE.rows_from("AJAR") == (OPEN, SLAM, AIR)
    assert repr(TABLE) == "<Table door: 3 states, 5 rows>"


@pytest.mark.parametrize(("state", "view"), [*itertools.product(Door, VIEWS)])
def test_enabled_names_every_row_that_fire_would_take(state: str, view: View) -> None:
    """`enabled` looks at all triggers and finds what is written in MOVES, no more."""
    expected = tuple(row for (source, _, seen), row in MOVES.items() if (source, seen) == (state, view))
    assert TABLE.enabled(state, view) == expected
    assert len(expected) <= 1


def test_find_knows_each_edge_and_no_other() -> None:
    """A journal's move is found by its states and trigger; a move that no row allows is None."""
    edges = itertools.product(Door, TABLE.triggers, Door)
    found = {edge: TABLE.find(*edge) for edge in edges}
    assert {row for row in found.values() if row} == set(ROWS)
    assert all((row.source, row.trigger, row.dest) == edge for edge, row in found.items() if row)


def test_asking_for_a_state_that_does_not_exist_is_an_error() -> None:
    """A misspelt state has no rows to return, not even none."""
    with pytest.raises(MachineError, match="no state 'OPEN'; there are SHUT, AJAR, WIDE"):
        TABLE.rows_from("OPEN")
    with pytest.raises(MachineError, match="no state 'OPEN'"):
        TABLE.enabled("OPEN", View())


# ------------------------------------------------------------------ what makes a table invalid

REST = (UNLOCK, OPEN, AIR, CLOSE)
BACK = Row(Door.AJAR, "back", Door.SHUT, (guard("breeze", "wind", Wind.BREEZE, doc=""),))

FAULTS: dict[str, tuple[Callable[[], Table], str]] = {
    "source not declared": (
        lambda: table(*ROWS, Row("GONE", "pull", Door.SHUT)),
        "GONE -- pull --> SHUT: the state GONE is not declared",
    ),
    "dest not declared": (
        lambda: table(*REST, Row(Door.AJAR, "lift", "GONE", (storm,))),
        "AJAR -- lift [storm] --> GONE: the state GONE is not declared",
    ),
    "initial not declared": (lambda: table(*ROWS, initial="GONE"), "the initial state GONE is not declared"),
    "final not declared": (
        lambda: table(*ROWS, final=frozenset({"SHUT", "GONE"})),
        "the final state GONE is not declared",
    ),
    "unreachable": (
        lambda: table(UNLOCK, SLAM, CLOSE),
        "the state WIDE cannot be reached from SHUT",
    ),
    "no way out": (lambda: table(UNLOCK, OPEN, SLAM), "the state WIDE has no way out and is not final"),
    "only a loop leads out": (
        lambda: table(UNLOCK, OPEN, Row(Door.WIDE, "wait", Door.WIDE), SLAM),
        "the state WIDE has no way out and is not final",
    ),
    "no way to a final state": (
        lambda: table(UNLOCK, OPEN, Row(Door.WIDE, "pull", Door.AJAR)),
        "the state WIDE has no way to a final state",
    ),
    "duplicate": (
        lambda: table(*ROWS, Row(Door.AJAR, "push", Door.SHUT, (has_key, storm))),
        "duplicate rows: AJAR -- push [storm and has_key] --> SHUT stands twice",
    ),
    "overlap on one trigger": (
        lambda: table(*REST, Row(Door.AJAR, "push", Door.SHUT, (has_key,))),
        "overlapping guards: AJAR -- push [calm] --> WIDE and AJAR -- push [has_key] --> SHUT can be true together",
    ),
    "overlap over two triggers": (
        lambda: table(*ROWS, Row(Door.AJAR, "pull", Door.SHUT, (windy,))),
        "AJAR -- push [storm and has_key] --> SHUT and AJAR -- pull [windy] --> SHUT can be true together",
    ),
    "a row without guards overlaps with every other": (
        lambda: table(*ROWS, Row(Door.WIDE, "blow", Door.SHUT, (storm,))),
        "WIDE -- pull --> SHUT and WIDE -- blow [storm] --> SHUT can be true together",
    ),
    "never true": (
        lambda: table(*REST, Row(Door.AJAR, "lift", Door.SHUT, (calm, storm))),
        "AJAR -- lift [calm and storm] --> SHUT: never true, its guards leave no value for wind",
    ),
    "a trigger that is no name": (
        lambda: table(*REST, Row(Door.AJAR, "blow shut", Door.SHUT, (storm,))),
        "the trigger 'blow shut' cannot be a method's name",
    ),
    "a trigger that hides the state": (
        lambda: table(*REST, Row(Door.AJAR, "state", Door.SHUT, (storm,))),
        "the trigger 'state' cannot be a method's name",
    ),
}


@pytest.mark.parametrize(("build", "message"), FAULTS.values(), ids=FAULTS)
def test_a_table_that_contradicts_itself_is_refused_by_name(build: Callable[[], Table], message: str) -> None:
    """A fault is found when the table is built, and the message names the rows."""
    with pytest.raises(TableInvalid) as caught:
        build()
    assert str(caught.value).startswith("door: ")
    assert message in str(caught.value)


def test_a_state_that_is_no_plain_name_is_refused() -> None:
    """A state is a node of a diagram, and the library reads `*` as every state."""

    class Odd(enum.StrEnum):
        ALL = "*"

    with pytest.raises(TableInvalid, match="is not a plain name"):
        Table(name="odd", states=Odd, initial=Odd.ALL, final=frozenset({Odd.ALL}), rows=())


def test_all_faults_are_named_at_once() -> None:
    """Whoever repairs a table sees the whole list."""
    with pytest.raises(TableInvalid) as caught:
        table(UNLOCK, UNLOCK)
    assert str(caught.value) == (
        "door: the state WIDE cannot be reached from SHUT; "
        "the state AJAR has no way out and is not final; the state WIDE has no way out and is not final; "
        "duplicate rows: SHUT -- unlock [has_key] --> AJAR stands twice"
    )


def test_faults_of_one_kind_are_named_in_order() -> None:
    """The same table is refused in the same words every time."""
    lost = ("A1", "B2", "C3", "D4", "E5")
    with pytest.raises(TableInvalid) as caught:
        table(*ROWS, final=frozenset(lost))
    places = [str(caught.value).index(f"the final state {state}") for state in lost]
    assert places == sorted(places)


def test_a_final_state_needs_no_way_out() -> None:
    """That is what final means."""
    assert table(UNLOCK, OPEN, final=frozenset({"WIDE"})).rows_from("WIDE") == ()


def test_a_table_is_what_it_was_built_from_whatever_becomes_of_that() -> None:
    """The list of rows is the builder's own."""
    rows = [*ROWS]
    built = Table(name="door", states=Door, initial="SHUT", final=frozenset({"SHUT"}), rows=rows)
    rows.clear()
    assert built.rows == ROWS


def test_a_table_without_final_states_may_go_round_for_ever() -> None:
    """Final states are a promise where they are declared, and not demanded."""
    assert table(*ROWS, final=frozenset()).final == frozenset()


@st.composite
def guards(draw: st.DrawFn) -> tuple[Guard, ...]:
    fields = {"wind": tuple(Wind), "key": (True, False)}
    names = draw(st.lists(st.sampled_from(sorted(fields)), max_size=3))
    return tuple(guard(name, name, *draw(st.sets(st.sampled_from(fields[name]))), doc="") for name in names)


def brute_force(rows: tuple[Row, ...]) -> Iterator[tuple[Row, Row]]:
    for one, other in itertools.combinations(rows, 2):
        if any(all(each(view) for each in (*one.guards, *other.guards)) for view in VIEWS):
            yield one, other


@given(st.lists(guards(), min_size=2, max_size=4))
def test_the_algebra_finds_what_trying_every_view_finds(conjunctions: list[tuple[Guard, ...]]) -> None:
    """Two rows are refused exactly when some view makes both true, and one row when no view does."""
    rows = tuple(Row("SHUT", f"trigger{index}", "AJAR", each) for index, each in enumerate(conjunctions))
    overlaps = {f"{one} and {other} can be true together" for one, other in brute_force(rows)}
    never = {f"{row}: never true" for row in rows if not any(all(each(view) for each in row.guards) for view in VIEWS)}
    with pytest.raises(TableInvalid) as caught:  # WIDE is unreachable in all of these
        table(*rows)
    assert str(caught.value).count("can be true together") == len(overlaps)
    assert all(text in str(caught.value) for text in overlaps | never)
    assert ("never true" in str(caught.value)) == bool(never)


# ------------------------------------------------------------------ firing


@pytest.mark.parametrize(("state", "trigger", "view"), [*itertools.product(Door, TABLE.triggers, VIEWS)])
def test_every_state_and_trigger_moves_as_written_or_raises_and_changes_nothing(
    state: str, trigger: str, view: View
) -> None:
    """There is no third thing that a trigger can do."""
    model = Model(str(state))
    row = MOVES.get((state, trigger, view))
    if row is None:
        refusal = GuardRefused if (state, trigger) in SOURCES else IllegalTrigger
        with pytest.raises(refusal, match=r"^door: "):
            ENGINE.fire(model, trigger, view)
        assert (model.state, model.seen) == (state, [])
    else:
        assert ENGINE.fire(model, trigger, view) is row
        assert (model.state, model.seen) == (row.dest, [(state, row)])
        assert type(model.state) is str


@pytest.mark.parametrize("trigger", ["to_WIDE", "SHUT", "trigger", "state", ""])
def test_a_trigger_that_is_in_no_row_is_illegal(trigger: str) -> None:
    """The library's own shortcuts into any state do not exist."""
    with pytest.raises(IllegalTrigger, match="no row leaves SHUT"):
        ENGINE.fire(Model(), trigger, View())


def test_a_model_in_no_state_of_the_table_cannot_be_fired() -> None:
    """A state from elsewhere has no row, so nothing is guessed."""
    with pytest.raises(IllegalTrigger, match="no row leaves GONE on unlock"):
        ENGINE.fire(Model("GONE"), "unlock", View())


def test_a_refusal_names_the_rows_and_the_view() -> None:
    """The message is enough to see which guard said no."""
    with pytest.raises(GuardRefused) as caught:
        ENGINE.fire(Model("AJAR"), "push", View(Wind.BREEZE))
    assert str(caught.value) == (
        "door: no guard of AJAR -- push [calm] --> WIDE, AJAR -- push [storm and has_key] --> SHUT"
        f" is true of {View(Wind.BREEZE)}"
    )


@pytest.mark.parametrize("error", [OSError("disk full"), GuardRefused("from within"), KeyboardInterrupt()])
def test_a_record_that_fails_moves_nothing(error: BaseException) -> None:
    """What could not be recorded did not happen, and can be tried again."""

    def fail(_row: Row) -> None:
        raise error

    model = Model(recording=fail)
    with pytest.raises(type(error)) as caught:
        ENGINE.fire(model, "unlock", View())
    assert caught.value is error
    assert model.state == "SHUT"
    model.recording = nothing
    assert ENGINE.fire(model, "unlock", View()) is UNLOCK


def test_a_guard_that_raises_moves_nothing() -> None:
    """A view that lacks the field is an error, and no record is made."""
    model = Model()
    with pytest.raises(AttributeError):
        ENGINE.fire(model, "unlock", object())
    assert (model.state, model.seen) == ("SHUT", [])


def test_firing_on_a_model_while_it_moves_is_an_error() -> None:
    """A record that fires again would be inside a move that has not happened yet."""
    model = Model()
    model.recording = lambda _row: ENGINE.fire(model, "unlock", View())
    with pytest.raises(MachineError, match="unlock was fired on a model while it was moving"):
        ENGINE.fire(model, "unlock", View())
    assert model.state == "SHUT"
    assert len(model.seen) == 1


def test_a_record_may_move_another_model() -> None:
    """One engine serves many models, and a move of one is none of the other's business."""
    inner = Model("WIDE")
    outer = Model(recording=lambda _row: ENGINE.fire(inner, "pull", View()))
    assert ENGINE.fire(outer, "unlock", View()) is UNLOCK
    assert (outer.state, inner.state) == ("AJAR", "SHUT")


def test_no_model_is_ever_registered() -> None:
    """A thousand models leave the shared machine as it was."""
    for _ in range(1000):
        ENGINE.fire(Model(), "unlock", View())
    assert ENGINE._machine.models == []
    assert ENGINE._moving == {}


def test_the_library_does_not_log_each_transition() -> None:
    """At INFO a move would cost three times as much."""
    assert logging.getLogger("transitions").level == logging.WARNING


# ------------------------------------------------------------------ typed methods


def test_a_class_that_lacks_a_method_for_a_trigger_is_refused() -> None:
    """A row that is added without its method is found at import."""

    class Half:
        push = 1

        def unlock(self) -> None: ...

    with pytest.raises(TableInvalid, match="door: Half has no method for push, wait, pull"):
        drives(TABLE)(Half)


def test_a_class_with_a_method_for_every_trigger_is_returned_as_it_is() -> None:
    """The check adds nothing to the class."""
    whole = type("Whole", (), dict.fromkeys(TABLE.triggers, nothing))
    before = dict(vars(whole))
    assert drives(TABLE)(whole) is whole
    assert dict(vars(whole)) == before
