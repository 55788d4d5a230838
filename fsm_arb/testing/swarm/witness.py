"""Looks on as an episode runs: takes a glimpse at every step, has it judged, and counts what was reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from fsm_arb.codec import loads
from fsm_arb.memory import Entry
from fsm_arb.messages import Intended, Moved, Surveyed
from fsm_arb.scribe import POSITION, TRADE
from fsm_arb.testing.glimpse import Glimpse, Violation, judged, judged_at_rest
from fsm_arb.testing.swarm.census import Census
from fsm_arb.testing.swarm.walls import Markets, Walls
from fsm_arb.trade import Trade

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from fsm_arb.executor.executor import CrossExchangeExecutor
    from fsm_arb.executor.runner import Runner
    from fsm_arb.journal.memory import MemoryDisk
    from fsm_arb.ports import Clock, Record
    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.testing.glimpse import Append, Checker, Create, VenueOrder

NS_PER_S = 1_000_000_000


class Books(Markets, Protocol):
    """The venues' own books, and what came to their doors."""

    def orders(self) -> Mapping[str, VenueOrder]:
        """Every order, by client order id."""
        ...

    def creates(self) -> tuple[Create, ...]:
        """Every request to place an order."""
        ...

    def moved(self) -> Mapping[str, Mapping[str, Decimal]]:
        """By how much balances have changed, by venue and asset."""
        ...

    def external(self) -> Mapping[str, Mapping[str, Decimal]]:
        """The part of it that operators did by hand."""
        ...


class Witness:
    """Everything that is seen of one episode.

    Args:
        checkers: What must hold.
        clock: The true clock.
        disk: What is durable.
        books: The venues' own.
        appends: Every commit that was asked for; kept by the journals.
        alerts: Every alert; kept by the sink.
    """

    def __init__(  # noqa: PLR0917 - made in one place
        self,
        checkers: Sequence[Checker],
        clock: Clock,
        disk: MemoryDisk,
        books: Books,
        appends: list[Append],
        alerts: list[str],
    ) -> None:
        self.census = Census()
        self.violations: list[Violation] = []
        self.errors: list[str] = []
        self.struck_keys: dict[str, int] = {}  # fault by key, of what took effect, in order
        self.faults_on = True
        self.calm_since: int | None = None  # monotonic ns
        self.entries: dict[str, tuple[Entry, ...]] = {}
        self.executors: dict[int, CrossExchangeExecutor] = {}  # by number of the process
        self.openings: dict[str, tuple[str, str, tuple[str, ...]]] = {}  # being begun: state, kind, venues
        self.watching: list[StateWatch] = []
        self._checkers = tuple(checkers)
        self._clock = clock
        self._disk = disk
        self._books = books
        self._appends = appends
        self._alerts = alerts
        self._seen = 0  # records
        self._trades: dict[str, Trade] = {}
        self._positions: dict[str, CrossExchangePosition] = {}
        self._owners: dict[str, str] = {}  # trade by client order id
        self._written: dict[str, int] = {}  # when its intent was decided, monotonic ns, by client order id
        self._step_due = False
        self._walls = Walls(books)
        self._tried: set[str] = set()  # trades whose venues have been surveyed since the last step
        self.resting = False  # the end is judged: what is true now counts, or was at the last try
        self._known_orders: Mapping[str, VenueOrder] = {}
        self._before: Glimpse | None = None

    # -------------------------------------------------------------- steps

    def appended(self, process: int, streams: tuple[str, ...]) -> None:
        """Take in that *process* has made records of *streams* durable."""
        self._catch_up()
        runners = self._runners(process)
        for stream in streams:
            trade_id = stream.removeprefix(TRADE)
            if not stream.startswith(TRADE):
                continue
            runner = runners.get(trade_id)
            # At this moment memory and journal must agree; what is only being begun is read back.
            trade = runner.trade.copy() if runner is not None else self._folded(trade_id)
            self._trades = {**self._trades, trade_id: trade}  # a new mapping: nobody's glimpse changes
            self._entered(trade.state)
        self.step()

    def step(self) -> None:
        """Take a glimpse and have the step that led to it judged; once something is wrong, no more."""
        if self.violations:
            return
        after = self.glimpse()
        before = self._before if self._before is not None else after
        self._before = after
        self.violations += judged(self._checkers, before, after)
        for checker in self._checkers:
            self.census.judged[f"{checker.number:02} {checker.name}"] += 1

    def soon(self) -> None:
        """Take a step as soon as whatever happens now is over: the books are not whole in the middle of it."""
        if not self._step_due:
            self._step_due = True
            asyncio.get_running_loop().call_soon(self._due_step)

    def _due_step(self) -> None:
        self._step_due = False
        self.step()

    def restarted(self) -> None:
        """Take in that a process has gone: what is true now is what is durable."""
        self._catch_up()
        self._trades = {trade_id: self._folded(trade_id) for trade_id in self._trades}
        self.step()

    def rest(self) -> None:
        """Judge the end."""
        self._catch_up()
        self.step()
        self.resting = True
        if not self.violations:
            self.violations += judged_at_rest(self._checkers, self.glimpse())

    def glimpse(self) -> Glimpse:
        """Return what is true now."""
        return Glimpse(
            now=self._clock.monotonic_ns(),
            trades=self._trades,
            orders=self._orders(),
            entries=self.entries,
            creates=self._books.creates(),
            appends=tuple(self._appends),
            positions=self._positions,
            moved=self._books.moved(),
            external=self._books.external(),
            alerts=tuple(self._alerts),
            errors=tuple(self.errors),
            faults_on=self.faults_on,
            calm_since=self.calm_since,
            walls=self._walled(),
        )

    def _walled(self) -> frozenset[str]:
        """Return the trades that a wall excuses; a try while venues misbehave says nothing of them."""
        tried, self._tried = self._tried, set()
        if self.faults_on:
            return frozenset()
        now = self._clock.monotonic_ns()
        self._walls.look(self._trades, now, tried)
        return self._walls.waiting(self._trades, now) if self.resting else self._walls.lately(self._trades, now)

    def _orders(self) -> Mapping[str, VenueOrder]:
        """Return the venues' orders: the very same mapping for as long as nothing in it has changed."""
        orders, known = self._books.orders(), self._known_orders
        if len(orders) != len(known) or any(known.get(name) is not order for name, order in orders.items()):
            self._known_orders = orders
        return self._known_orders

    # -------------------------------------------------------------- what is durable

    def _catch_up(self) -> None:
        for record in self._disk.records[self._seen :]:
            if record.stream.startswith(TRADE):
                self._take_in(record)
            elif record.stream.startswith(POSITION):
                fact = loads(record.payload)
                self._positions = {**self._positions, fact.position.position_id: fact.position}
                if record.state_before != record.state_after:
                    self.census.position_edges[record.state_before, record.trigger, record.state_after] += 1
        self._seen = len(self._disk.records)

    def _take_in(self, record: Record) -> None:
        trade_id = record.stream.removeprefix(TRADE)
        fact = loads(record.payload)
        entry = Entry(record.at_ns, record.trigger, record.state_before, record.state_after, fact)
        self.entries = {**self.entries, trade_id: (*self.entries.get(trade_id, ()), entry)}
        if isinstance(fact, Moved):
            self.census.trade_edges[record.state_before, record.trigger, record.state_after] += 1
        elif isinstance(fact, Surveyed):
            self._tried.add(trade_id)
        elif isinstance(fact, Intended):
            self._owners.update({intent.client_order_id: trade_id for intent in fact.intents})
            self._written.update({intent.client_order_id: fact.now for intent in fact.intents})

    def _folded(self, trade_id: str) -> Trade:
        return Trade.fold(trade_id, self.entries[trade_id], _no_ids)

    def _runners(self, process: int) -> Mapping[str, Runner]:
        executor = self.executors.get(process)
        return executor._runners if executor is not None else {}  # noqa: SLF001 - the witness looks inside

    def intended_at(self, client_order_id: str) -> int | None:
        """Return when the intent of that id was written, monotonic ns; None: none is durable."""
        self._catch_up()
        return self._written.get(client_order_id)

    def follow_openings(self, executor: CrossExchangeExecutor) -> None:
        """Know of trades that are being begun, before anything of them is durable."""
        opening = executor._beginning._opening  # noqa: SLF001 - the witness looks inside
        for name, state in (("rules", "PRECHECK"), ("check", "PRECHECK"), ("plan", "SIZING")):
            setattr(opening, name, self._followed(getattr(opening, name), state))

    def _followed(self, call: Callable[..., Awaitable[Any]], state: str) -> Callable[..., Awaitable[Any]]:
        async def followed(asked: Any, *rest: Any) -> Any:
            decision = getattr(asked, "decision", asked)
            kind = "entry" if decision.action.is_entry else "exit"
            self.openings[decision.decision_id] = state, kind, tuple(leg.exchange for leg in decision.legs)
            self._entered(state)
            try:
                return await call(asked, *rest)
            finally:
                self.openings.pop(decision.decision_id, None)

        return followed

    # -------------------------------------------------------------- who was struck

    def struck(
        self,
        fault: int,
        key: str,
        *,
        streams: Iterable[str] = (),
        venue: str = "",
        client_order_id: str = "",
    ) -> None:
        """Count that a fault has taken effect, by the state of every trade that it affects."""
        self.struck_keys.setdefault(key, fault)
        for state, kind in self._affected(tuple(streams), venue, client_order_id):
            self.census.struck[fault, state, kind] += 1

    def _affected(self, streams: tuple[str, ...], venue: str, client_order_id: str) -> list[tuple[str, str]]:
        owner = self._owners.get(client_order_id)
        if owner is not None:
            return [self._standing(owner)]
        named = [stream.removeprefix(TRADE) for stream in streams if stream.startswith(TRADE)]
        if named:
            return [self._standing(trade_id) for trade_id in named]
        live = [
            trade_id
            for trade_id, trade in self._trades.items()
            if not trade.finished and (not venue or any(leg.exchange == venue for leg in trade.decision.legs))
        ]
        opening = [
            (state, kind) for trade_id, (state, kind, venues) in self.openings.items() if not venue or venue in venues
        ]
        return [*(self._standing(each) for each in live if each not in self.openings), *opening]

    def _standing(self, trade_id: str) -> tuple[str, str]:
        """Return where a trade stands in the memory of its process, and whether it is an entry."""
        if trade_id in self.openings:
            return self.openings[trade_id][:2]
        trade = self._trades.get(trade_id)
        for number in sorted(self.executors, reverse=True):
            runner = self._runners(number).get(trade_id)
            if runner is not None:
                trade = runner.trade
                break
        if trade is None:
            return "PRECHECK", "entry"
        return str(trade.state), "entry" if trade.decision.action.is_entry else "exit"

    def _entered(self, state: str) -> None:
        """Wake whatever waits for a trade to be in *state*."""
        for watch in [each for each in self.watching if each.state == state]:
            self.watching.remove(watch)
            watch.reached()

    # -------------------------------------------------------------- at the end

    @property
    def trades(self) -> Mapping[str, Trade]:
        """Every trade as it is durable."""
        return self._trades

    def count_trades(self, level: str) -> None:
        """Count how the trades have ended."""
        census = self.census
        for trade in self._trades.values():
            census.trades[level] += 1
            census.halted[level] += trade.ever_halted
            census.still_halted[level] += trade.halted
            census.outcomes[trade.outcome.value if trade.outcome else str(trade.state)] += 1


class StateWatch(Protocol):
    """Somebody who waits for any trade to enter a state."""

    @property
    def state(self) -> str:
        """Which."""
        ...

    def reached(self) -> None:
        """It has."""
        ...


def _no_ids() -> str:
    raise AssertionError("a trade that is only read sends nothing")
