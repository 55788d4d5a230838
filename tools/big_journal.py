"""Make a large journal out of a small one: the same real trades again and again, under new names, at later times.

    python tools/big_journal.py big.db --trades 100000 [--template small.db]

Hash chain, streams and mark are real. Without a template, the demonstration
trades for one: real ccxt objects against an exchange on this machine, some
faults. Of the streams, those of trades and of positions are repeated.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.codec import loads
from fsm_arb.ids import base36
from fsm_arb.journal import JournalReader
from fsm_arb.messages import Intended
from fsm_arb.ports import Batch, Draft
from fsm_arb.scribe import POSITION, TRADE
from fsm_arb.testing.filing import Filing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsm_arb.ports import Record

ROUND_DIGITS = 6  # base 36, which is two thousand million rounds
PAUSE_NS = 1_000_000_000  # between two rounds


@frozen
class Pattern:
    """One record of the template, cut at the names that change with each round."""

    record: Record
    stream: tuple[str, ...]  # text, name, text, name, ..., text; of a payload, a name may also be a wall clock, ns
    payload: tuple[str, ...]
    live: bool

    def batch(self, names: dict[str, str], later_ns: int) -> Batch:
        """Return it as a record of another round."""
        record, stream = self.record, _joined(self.stream, names)
        draft = Draft(
            at_ns=record.at_ns + later_ns,
            trigger=record.trigger,
            state_before=record.state_before,
            state_after=record.state_after,
            payload=_joined(self.payload, names, later_ns),
        )
        return Batch(stream=stream, expected_seq=record.stream_seq - 1, drafts=(draft,), live=self.live)


def _joined(pieces: tuple[str, ...], names: dict[str, str], later_ns: int = 0) -> str:
    return "".join(
        (names.get(piece) or str(int(piece) + later_ns)) if index % 2 else piece for index, piece in enumerate(pieces)
    )


def patterns(path: Path) -> tuple[list[Pattern], list[str], list[str]]:
    """Return the records of a journal's trades and positions, the ids of its trades, and those of its orders."""
    with JournalReader(path) as reader:
        records = [each for each in reader.records() if each.stream.startswith((TRADE, POSITION))]
        live = set(reader.streams("", live=True))
    trades = list(dict.fromkeys(each.stream.removeprefix(TRADE) for each in records if each.stream.startswith(TRADE)))
    facts = [loads(each.payload) for each in records if each.trigger == "intended"]
    orders = [intent.client_order_id for fact in facts if isinstance(fact, Intended) for intent in fact.intents]
    names = sorted([*trades, *orders], key=len, reverse=True)  # the longer first: one may begin as another
    cut = re.compile(f'({"|".join(map(re.escape, names))}|(?<=_at_ns":)\\d+)')
    made = [
        Pattern(each, tuple(cut.split(each.stream)), tuple(cut.split(each.payload)), each.stream in live)
        for each in records
    ]
    return made, trades, orders


def rounds(path: Path, trades: int) -> Iterator[Batch]:
    """Yield what is to be written, one record at a time, until there are *trades* trades."""
    made, trade_ids, order_ids = patterns(path)
    span = made[-1].record.at_ns - made[0].record.at_ns + PAUSE_NS
    for number in range(-(-trades // len(trade_ids))):
        suffix = base36(number, ROUND_DIGITS)
        names = {name: f"{name}-{suffix}" for name in trade_ids}
        names |= {name: name[:-ROUND_DIGITS] + suffix for name in order_ids}
        for pattern in made:
            yield pattern.batch(names, number * span)


def demonstrated(folder: Path) -> Path:
    """Let the demonstration trade; return its journal."""
    words = ["demo", "--seed", "7", "--trades", "40", "--faults", "some", "--latency", "0", "--dir", str(folder)]
    call = [sys.executable, "-c", "from fsm_arb.cli import main; main()", *words]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return folder / "trades.db"


def main() -> None:
    """Make it, and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("journal", type=Path, help="the file to make")
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--template", type=Path, help="a journal whose trades are repeated")
    asked = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        template = asked.template or demonstrated(Path(folder) / "demo")
        count = 0
        with Filing(asked.journal) as filing:
            for batch in rounds(template, asked.trades):
                filing.add([batch])
                count += 1
    size = asked.journal.stat().st_size / (1 << 20)
    print(f"{asked.journal}: {count:,} records, {size:,.0f} MiB, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
