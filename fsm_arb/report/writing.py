"""Write a journal's pages into a folder, in memory that does not grow with the journal."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from attrs import define, field, frozen

from fsm_arb.audit.story import story_of
from fsm_arb.audit.survey import summaries
from fsm_arb.audit.tales import tell
from fsm_arb.journal.reader import JournalReader
from fsm_arb.report.index_page import PART_ROWS, SHOWN, Index, Pressing, index_page, part_page
from fsm_arb.report.rows import Row, file_of
from fsm_arb.report.trade_page import naked_now, outcome_of, trade_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PAGES_MAX = 1000  # trades that have a page of their own unless more are asked for
PRESSING_MAX = 100  # trades that are halted or naked, as the index names them first
FOLDER = "trades"


@frozen(kw_only=True)
class Written:
    """What was written."""

    index: Path
    trades: int  # on the journal
    pages: int  # of trades
    note: str  # which trades those are; empty: all


@define
class _Seen:
    """What is kept of all trades while they pass by: a few of them, and how many there were."""

    keep: int
    outcomes: Counter[str] = field(factory=Counter)
    newest: deque[Row] = field(factory=lambda: deque(maxlen=SHOWN))
    last: deque[str] = field(factory=deque)
    ill: deque[str] = field(factory=lambda: deque(maxlen=PAGES_MAX))
    going_on: deque[str] = field(factory=lambda: deque(maxlen=PRESSING_MAX))
    unended: int = 0

    def __attrs_post_init__(self) -> None:
        self.last = deque(maxlen=self.keep)

    def take(self, row: Row) -> None:
        """Take in the next trade."""
        self.outcomes[row.outcome] += 1
        self.newest.append(row)
        self.last.append(row.trade)
        if row.ill:
            self.ill.append(row.trade)
        if row.took_ns is None:
            self.going_on.append(row.trade)
            self.unended += 1


def write_trade(journal: Path, trade_id: str, out: Path) -> bool:
    """Write one trade's page; return whether the journal holds such a trade.

    Raises:
        JournalError: Its records cannot be read.
        MachineError: They contradict the table.
        OSError: It cannot be written.
    """
    with JournalReader(journal) as reader:
        tale = tell(reader, trade_id)
    if tale is None:
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(out, [trade_page(tale)])
    return True


def write_report(
    journal: Path,
    folder: Path,
    *,
    trades: int | None = None,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Written:
    """Write the index of a journal and its trades' pages. Files of the same names are replaced, others stay.

    Args:
        journal: The file.
        folder: Where the pages go: ``index.html``, and those of the trades in a folder below.
        trades: How many of the newest trades get a page of their own. None: all, and where there are more than
            `PAGES_MAX`, the newest of those that did not simply succeed.
        jobs: Processes to read the journal with.
        advance: Called for each trade that was read.

    Raises:
        JournalError: A record is wrong or cannot be read.
        MachineError: A trade's records contradict the table.
        OSError: It cannot be written.
    """
    folder.joinpath(FOLDER).mkdir(parents=True, exist_ok=True)
    seen = _Seen(PAGES_MAX + 1 if trades is None else trades)
    with tempfile.TemporaryFile("w+", encoding="ascii") as spool:
        for summary in summaries(journal, jobs=jobs):
            row = Row.of(summary)
            seen.take(row)
            spool.write(row.line() + "\n")
            advance()
        index = _index(journal, seen, trades)
        rows = _rows(spool)
        _write(folder / "index.html", index_page(index, rows))
        rows = _rows(spool)
        for number, part in enumerate(index.parts):
            _write(folder / part, [part_page(index, number, list(itertools.islice(rows, PART_ROWS)))])
    with JournalReader(journal) as reader:
        for trade, page in index.pages.items():
            tale = tell(reader, trade)
            if tale is not None:
                _write(folder / page, [trade_page(tale, "../index.html")])
    return Written(index=folder / "index.html", trades=index.total, pages=len(index.pages), note=index.note)


def _index(journal: Path, seen: _Seen, trades: int | None) -> Index:
    wanted, note = _wanted(seen, trades)
    pressing = list(_pressing(journal, seen.going_on))
    names = dict.fromkeys([*(each.trade for each in pressing), *wanted])
    total = seen.outcomes.total()
    count = -(-total // PART_ROWS) if total > SHOWN else 0
    return Index(
        name=journal.name,
        outcomes=seen.outcomes,
        newest=list(reversed(seen.newest)),
        pages={trade: f"{FOLDER}/{file_of(trade)}" for trade in names},
        parts=[f"list-{number + 1:04d}.html" for number in range(count)],
        pressing=pressing,
        going_on=seen.unended,
        looked_at=len(seen.going_on),
        note=note,
    )


def _pressing(journal: Path, trades: Iterable[str]) -> Iterator[Pressing]:
    """Yield those that are halted or naked now."""
    with JournalReader(journal) as reader:
        for trade in trades:
            tale = tell(reader, trade)
            story = story_of(tale) if tale else None
            if story is not None and (story.trade.halted or story.naked):
                yield Pressing(
                    trade=trade,
                    outcome=outcome_of(story),
                    naked=naked_now(story),
                    why=story.trade.halt_reason,
                    base=story.trade.decision.legs[0].base,
                    exposure=story.exposure,
                )


def _wanted(seen: _Seen, trades: int | None) -> tuple[list[str], str]:
    """Return which trades get a page of their own, and say so where it is not all of them."""
    total = seen.outcomes.total()
    if trades is not None and total > trades:
        return list(seen.last), f"The newest {trades:,} have a page of their own."
    if total <= len(seen.last):
        return list(seen.last), ""
    which = "that did not simply succeed" if len(seen.ill) < PAGES_MAX else "that last did not simply succeed"
    return list(seen.ill), f"The {len(seen.ill):,} {which} have a page of their own; --trades N draws the newest N."


def _rows(spool: TextIO) -> Iterator[Row]:
    spool.seek(0)
    return map(Row.read, spool)


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write a page whole: who looks at it meanwhile sees the one before."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
    os.replace(part, path)  # noqa: PTH105 - the one that says that it replaces
