"""The strict wrapper around `transitions`, and its only importer.

A machine is a table of rows. The table is closed: an edge that is no row does
not exist, and everything that could contradict is found when the table is
built, at import. Guards are data, a field of a finite view and the values it may
take there, so whether two rows can be true together is set algebra and not an
opinion::

    POSITION_TABLE = Table(
        name="position",
        states=PositionState,
        initial=PositionState.OPEN,
        final=frozenset({PositionState.CLOSED}),
        rows=(Row(PositionState.OPEN, "exit_started", PositionState.CLOSING, (exiting,), why="..."),),
    )
    POSITION_ENGINE = Engine(POSITION_TABLE)

One engine serves any number of models: models are lent to it for the length of
one `fire` and never registered. A class of models has one typed method for each
trigger, written by hand, and `drives` checks that none is missing::

    @drives(POSITION_TABLE)
    @define(eq=False)
    class PositionMachine:
        state: str = POSITION_TABLE.initial

        def on_move(self, row: Row) -> None: ...

        def exit_started(self, view: PositionView) -> Row:
            return POSITION_ENGINE.fire(self, "exit_started", view)
"""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from attrs import field as attribute
from attrs import frozen
from transitions import Machine, Transition

from fsm_arb.errors import GuardRefused, IllegalTrigger, MachineError, TableInvalid

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

# At INFO each transition would cost three times as much.
logging.getLogger("transitions").setLevel(logging.WARNING)

_STATE_ATTRIBUTE = "state"  # of a model; the library forbids a trigger of this name

_Class = TypeVar("_Class", bound=type)


# ------------------------------------------------------------------ rows


@frozen
class Guard:
    """A named condition over one finite field of a view.

    Attributes:
        name: What diagrams and messages call it; empty where the trigger says it already.
        field: The attribute of the view that it reads.
        allowed: The values of that attribute for which it is true.
        doc: The condition in words.
    """

    name: str
    field: str
    allowed: frozenset[Any]
    doc: str
    # The same values to run through: hashing an enum member costs more than comparing it.
    _values: tuple[Any, ...] = attribute(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_values", tuple(self.allowed))

    def __call__(self, view: object) -> bool:
        """Whether *view* has one of the allowed values."""
        return getattr(view, self.field) in self._values

    @property
    def __name__(self) -> str:
        """The name, where a function would have its own."""
        return self.name


def guard(name: str, field: str, *allowed: Any, doc: str) -> Guard:
    """Return the guard *name*: true while *field* of the view is one of *allowed*."""
    return Guard(name, field, frozenset(allowed), doc)


@frozen
class Row:
    """One edge: in *source*, on *trigger*, when every guard is true, go to *dest*."""

    source: str = attribute(converter=str)
    trigger: str = attribute(converter=str)
    dest: str = attribute(converter=str)
    guards: tuple[Guard, ...] = ()
    why: str = ""  # one sentence: what happened in the world
    outcome: str | None = None  # how it ended, where this row ends it

    @property
    def label(self) -> str:
        """Trigger and guards, as diagrams and messages print them."""
        names = [each.name for each in self.guards if each.name]
        return f"{self.trigger} [{' and '.join(names)}]" if names else self.trigger

    def __str__(self) -> str:
        return f"{self.source} -- {self.label} --> {self.dest}"


# ------------------------------------------------------------------ the table


class Table:
    """The rows of one machine, checked.

    Attributes:
        name: What messages and diagrams call the machine.
        states: Every state, in the order of its declaration.
        initial: Where a new model starts.
        final: States where a model may rest for good. Rows may lead out of them.
        rows: Every row, in the order of its declaration.
    """

    def __init__(
        self, *, name: str, states: type[enum.StrEnum], initial: str, final: frozenset[str], rows: Sequence[Row]
    ) -> None:
        """Build and validate.

        Raises:
            TableInvalid: The rows contradict each other or the declarations; names every fault.
        """
        self.name = name
        self.states: tuple[str, ...] = tuple(str(state) for state in states)
        self.initial = str(initial)
        self.final = frozenset(map(str, final))
        self.rows = tuple(rows)
        self._from = {state: tuple(row for row in rows if row.source == state) for state in self.states}
        self._edges = {
            (row.source, row.trigger, row.dest): row for row in reversed(self.rows)
        }  # the first of each wins
        if faults := tuple(_faults(self)):
            raise TableInvalid(f"{name}: " + "; ".join(faults))

    @property
    def triggers(self) -> tuple[str, ...]:
        """Every trigger once, in the order of the rows."""
        return tuple(dict.fromkeys(row.trigger for row in self.rows))

    def rows_from(self, state: str) -> tuple[Row, ...]:
        """Return the rows that leave *state*, in the order of their declaration.

        Raises:
            MachineError: There is no such state.
        """
        try:
            return self._from[state]
        except KeyError:
            raise MachineError(f"{self.name}: no state {state!r}; there are {', '.join(self.states)}") from None

    def enabled(self, state: str, view: object) -> tuple[Row, ...]:
        """Return the rows of *state*, over all triggers, whose guards are all true: never more than one.

        Raises:
            MachineError: There is no such state.
        """
        enabled = []
        for row in self.rows_from(state):
            for each in row.guards:
                if not each(view):
                    break
            else:
                enabled.append(row)
        return tuple(enabled)

    def find(self, state_before: str, trigger: str, state_after: str) -> Row | None:
        """Return the first row along this edge, or None where there is no such edge."""
        return self._edges.get((state_before, trigger, state_after))

    def __repr__(self) -> str:
        return f"<Table {self.name}: {len(self.states)} states, {len(self.rows)} rows>"


# ------------------------------------------------------------------ what can be wrong with a table


def _faults(table: Table) -> Iterator[str]:
    yield from _undeclared(table)
    yield from _misnamed(table)
    yield from _unreachable(table)
    yield from _trapped(table)
    yield from _never_true(table)
    yield from _ambiguous(table)


def _undeclared(table: Table) -> Iterator[str]:
    declared = set(table.states)
    if table.initial not in declared:
        yield f"the initial state {table.initial} is not declared"
    for state in sorted(table.final - declared):
        yield f"the final state {state} is not declared"
    for row in table.rows:
        for state in dict.fromkeys((row.source, row.dest)):
            if state not in declared:
                yield f"{row}: the state {state} is not declared"


def _misnamed(table: Table) -> Iterator[str]:
    """A trigger becomes a method and a state a node, so both must be plain names."""
    for state in table.states:
        if not state.isidentifier():
            yield f"the state {state!r} is not a plain name"
    for row in table.rows:
        if not row.trigger.isidentifier() or row.trigger == _STATE_ATTRIBUTE:
            yield f"{row}: the trigger {row.trigger!r} cannot be a method's name"


def _unreachable(table: Table) -> Iterator[str]:
    reached = _closure({table.initial}, ((row.source, row.dest) for row in table.rows))
    for state in table.states:
        if state not in reached:
            yield f"the state {state} cannot be reached from {table.initial}"


def _trapped(table: Table) -> Iterator[str]:
    """A state that is not final needs a way out, and where anything is final, a way there."""
    saved = _closure(set(table.final), ((row.dest, row.source) for row in table.rows))
    for state in table.states:
        if state in table.final:
            continue
        if all(row.dest == state for row in table.rows if row.source == state):
            yield f"the state {state} has no way out and is not final"
        elif table.final and state not in saved:
            yield f"the state {state} has no way to a final state"


def _never_true(table: Table) -> Iterator[str]:
    for row in table.rows:
        for name, left in _narrowed(row.guards).items():
            if not left:
                yield f"{row}: never true, its guards leave no value for {name}"


def _ambiguous(table: Table) -> Iterator[str]:
    """Two rows of one state, whatever their triggers, must never be true together."""
    for one, other in itertools.combinations(table.rows, 2):
        if one.source != other.source:
            continue
        if (one.trigger, one.dest, frozenset(one.guards)) == (other.trigger, other.dest, frozenset(other.guards)):
            yield f"duplicate rows: {one} stands twice"
        elif all(_narrowed(one.guards + other.guards).values()):
            yield f"overlapping guards: {one} and {other} can be true together"


def _narrowed(guards: tuple[Guard, ...]) -> Mapping[str, frozenset[Any]]:
    """Return what *guards* together leave of each field that they read; all can be true unless one is left empty."""
    left: dict[str, frozenset[Any]] = {}
    for each in guards:
        left[each.field] = left.get(each.field, each.allowed) & each.allowed
    return left


def _closure(start: set[str], edges: Iterable[tuple[str, str]]) -> set[str]:
    """Return *start* and all that can be reached from it along *edges*."""
    reached, pairs = set(start), tuple(edges)
    while more := {dest for source, dest in pairs if source in reached} - reached:
        reached |= more
    return reached


# ------------------------------------------------------------------ the engine


class Model(Protocol):
    """What is moved. It is lent to the engine, not owned by it."""

    state: str

    def on_move(self, row: Row) -> None:
        """Record that *row* is being taken. The state has not changed yet; raising leaves it as it is."""
        ...


class Engine:
    """One `transitions.Machine` for all the models of a table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._edges = frozenset((row.source, row.trigger) for row in table.rows)
        # Models that are moving now, and the row each one has recorded.
        self._moving: dict[int, Row | None] = {}
        self._machine = Machine(
            model=None,  # never registered: registering is a list scan for each model
            states=list(table.states),
            initial=table.initial,
            auto_transitions=False,
            ignore_invalid_triggers=False,
            queued=False,
            send_event=True,
            before_state_change=self._record,
        )
        self._rows: dict[Transition, Row] = {}
        for row in table.rows:
            self._machine.add_transition(row.trigger, row.source, row.dest, conditions=[*map(_condition, row.guards)])
            self._rows[self._machine.events[row.trigger].transitions[row.source][-1]] = row

    def fire(self, model: Model, trigger: str, view: object) -> Row:
        """Move *model* along the one row of its state and *trigger* whose guards are true, and return that row.

        Calls ``model.on_move(row)`` once, before the state is set. If anything
        is raised, by a guard, by `on_move` or from here, nothing has moved.

        Raises:
            IllegalTrigger: No row leaves this state on this trigger.
            GuardRefused: Rows do, and none of their guards is true.
            MachineError: The model is being moved already: `on_move` must not fire.
        """
        key = id(model)
        if key in self._moving:
            raise MachineError(f"{self.table.name}: {trigger} was fired on a model while it was moving")
        if (model.state, trigger) not in self._edges:
            raise IllegalTrigger(f"{self.table.name}: no row leaves {model.state} on {trigger}")
        self._moving[key] = None
        try:
            self._machine.events[trigger].trigger(model, view)
            row = self._moving[key]
        finally:
            del self._moving[key]
        if row is None:
            rows = ", ".join(str(row) for row in self.table.rows_from(model.state) if row.trigger == trigger)
            raise GuardRefused(f"{self.table.name}: no guard of {rows} is true of {view}")
        return row

    def _record(self, event: Any) -> None:
        row = self._rows[event.transition]
        event.model.on_move(row)
        self._moving[id(event.model)] = row


def _condition(each: Guard) -> Callable[[Any], bool]:
    """Return *each* in the form the library calls: on the event that carries the view."""

    def condition(event: Any) -> bool:
        return each(event.args[0])

    condition.__name__ = each.name
    return condition


def drives(table: Table) -> Callable[[_Class], _Class]:
    """Return a class decorator that checks that the class has a method for every trigger of *table*.

    Raises:
        TableInvalid: A trigger has no method.
    """

    def check(cls: _Class) -> _Class:
        missing = [trigger for trigger in table.triggers if not callable(getattr(cls, trigger, None))]
        if missing:
            raise TableInvalid(f"{table.name}: {cls.__name__} has no method for {', '.join(missing)}")
        return cls

    return check
