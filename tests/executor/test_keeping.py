"""The risk guard's history on the journal: one commit a change, one stream a day, one a round trip."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hall import Watched

from fsm_arb.clock import SystemClock
from fsm_arb.errors import JournalConflict, JournalError
from fsm_arb.executor.keeping import COUNTED, RISK, Keeping
from fsm_arb.ports import Batch, Draft
from fsm_arb.risk.history import NS_PER_DAY, RiskHistory
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.scribe import Scribe
from fsm_arb.values import Money

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

D = Decimal
LIMITS = RiskLimits(daily_loss=Money(1000, "KRW"))
NOON = 20_000 * NS_PER_DAY + NS_PER_DAY // 2
RATES = {"USDT": D(1400)}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Watched]:
    watched = Watched(tmp_path / "risk.db")
    await watched.open()
    yield watched
    await watched.close()


def keeping(journal: Any, kept: list[RiskHistory] | None = None) -> Keeping:
    return Keeping(Scribe(journal), SystemClock(), [].append if kept is None else kept.append)


def told(history: RiskHistory, name: str, pnl: int, now_ns: int = NOON) -> RiskHistory:
    return history.with_result(name, "r", "BTC", D(pnl), now_ns=now_ns, limits=LIMITS, rates=RATES)


def lengths(journal: Watched, prefix: str) -> dict[str, int]:
    return {stream: sum(1 for _ in journal.read(stream)) for stream in journal.streams(prefix)}


async def test_what_was_kept_is_read_back(journal: Watched) -> None:
    """The sums at a start, and a round trip where it is asked for."""
    first = keeping(journal)
    assert first.reread() is None
    history = told(told(RiskHistory(), "a", -5), "b", 7)
    first.keep(history)
    await first.close()
    second = keeping(journal)
    assert second.reread() == history.sums
    assert second.recall("a") == history.counted["a"]
    assert second.recall("b").rates == RATES  # type: ignore[union-attr]
    assert second.recall("c") is None


async def test_sums_and_what_a_correction_needs_are_one_commit(journal: Watched) -> None:
    """There is no moment at which a result is in the sums and would count again."""
    kept: list[RiskHistory] = []
    keeper = keeping(journal, kept)
    first = told(RiskHistory(), "a", -5)
    keeper.keep(first)
    keeper.keep(told(told(first, "a", -6), "b", 2))  # before the first one is written
    await keeper.close()
    assert journal.commits == len(kept) == 1
    assert kept[0].result == -4


async def test_only_what_has_changed_is_written(journal: Watched) -> None:
    """Forgetting is no change, and what was recalled is not written again."""
    keeper = keeping(journal)
    history = told(told(RiskHistory(), "a", -5), "b", 7)
    keeper.keep(history)
    await keeper.close()
    keeper.keep(history)
    keeper.keep(history.forget("a"))
    await keeper.close()
    assert journal.commits == 1
    counted = keeper.recall("a")
    assert counted is not None
    history = history.forget("a").recall("a", counted)
    keeper.keep(history)
    await keeper.close()
    assert journal.commits == 1
    keeper.keep(told(history, "a", -6))
    await keeper.close()
    assert lengths(journal, COUNTED) == {COUNTED + "a": 2, COUNTED + "b": 1}
    assert list(lengths(journal, RISK).values()) == [2]


async def test_what_is_forgotten_before_it_is_written_is_written(journal: Watched) -> None:
    """A late correction needs it all the same."""
    keeper = keeping(journal)
    history = told(RiskHistory(), "a", -5)
    keeper.keep(history)
    keeper.keep(history.forget("a"))
    await keeper.close()
    assert keeping(journal).recall("a") == history.counted["a"]


async def test_each_day_has_a_stream_of_its_own(journal: Watched) -> None:
    """The last one is read."""
    keeper = keeping(journal)
    history = told(RiskHistory(), "a", -5)
    keeper.keep(history)
    await keeper.close()
    history = told(history, "b", -7, NOON + NS_PER_DAY)
    keeper.keep(history)
    await keeper.close()
    assert list(lengths(journal, RISK)) == ["risk/2024-10-04", "risk/2024-10-05"]
    read = keeping(journal).reread()
    assert read is not None
    assert (read.daily, read.result) == (-7, -12)


async def test_what_could_not_be_written_is_written_with_the_next_change(journal: Watched) -> None:
    """Whatever became of the streams meanwhile."""
    keeper = keeping(journal)
    history = told(RiskHistory(), "a", -5)
    journal.fail = lambda _: JournalConflict("the stream has moved on")
    keeper.keep(history)
    await keeper.close()
    assert lengths(journal, "") == {}
    journal.fail = lambda _: None
    # Somebody else has written there.
    draft = Draft(at_ns=1, trigger="counted", state_before="", state_after="", payload="{}")
    await journal.inner.append([Batch(stream=COUNTED + "a", expected_seq=0, drafts=(draft,), live=False)])
    keeper.keep(told(history, "b", -1))
    await keeper.close()
    assert lengths(journal, COUNTED) == {COUNTED + "a": 2, COUNTED + "b": 1}
    assert keeping(journal).recall("a") == history.counted["a"]


async def test_what_changes_while_it_is_written_is_written_after_it(journal: Watched) -> None:
    """A correction of the very round trip that is on its way included."""
    journal.lag_s = 0.02
    keeper = keeping(journal)
    history = told(RiskHistory(), "a", -5)
    keeper.keep(history)
    await asyncio.sleep(0.01)
    later = told(history, "a", -9)
    keeper.keep(later)
    await keeper.close()
    assert keeping(journal).recall("a") == later.counted["a"]
    assert keeping(journal).reread() == later.sums


async def test_what_cannot_be_read_is_an_error(journal: Watched) -> None:
    """Sums and round trips alike."""
    draft = Draft(at_ns=1, trigger="counted", state_before="", state_after="", payload='{"v":99}')
    for stream in (RISK + "2024-10-04", COUNTED + "a"):
        await journal.inner.append([Batch(stream=stream, expected_seq=0, drafts=(draft,), live=False)])
    with pytest.raises(JournalError):
        keeping(journal).reread()
    with pytest.raises(JournalError):
        keeping(journal).recall("a")
