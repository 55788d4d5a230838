"""What each order was from moment to moment."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from reports import in_doubt, tale, traded_back, well

from fsm_arb.report.lives import Level, Life, Span, Stage, lives

D = Decimal
MS = 1_000_000


def spans(life: Life) -> list[tuple[str, int, int]]:
    return [(span.stage.value, span.from_ns // MS, span.to_ns // MS) for span in life.spans]


def test_an_order_is_sent_is_open_and_is_over(tmp_path: Path) -> None:
    """Each from the record that told it; what filled grows on the way."""
    told = tale(tmp_path / "j.db", well())
    first, second = lives(told, told.lines[-1].entry.at_ns)
    assert spans(first) == [("being sent", 0, 20)]
    assert first.levels == [Level(20 * MS, D(10))]
    assert spans(second) == [("being sent", 0, 50), ("open", 50, 400)]
    assert [(level.at_ns // MS, level.filled) for level in second.levels] == [(50, 4), (400, 10)]


def test_a_remedy_is_an_order_like_any_other(tmp_path: Path) -> None:
    """It begins when it was intended."""
    told = tale(tmp_path / "j.db", traded_back())
    _, refused, remedy = lives(told, told.lines[-1].entry.at_ns)
    assert spans(refused) == [("being sent", 0, 90)]
    assert refused.levels == []
    assert spans(remedy) == [("being sent", 300, 350), ("open", 350, 600)]


def test_a_doubt_that_has_not_ended_goes_on(tmp_path: Path) -> None:
    """As far as it was asked for."""
    told = tale(tmp_path / "j.db", in_doubt())
    _, doubtful = lives(told, 40_000 * MS)
    assert spans(doubtful) == [("being sent", 0, 5000), ("in doubt", 5000, 40_000)]


def test_what_comes_back_is_there_again(tmp_path: Path) -> None:
    """Believed absent, then seen: two stretches, and the cancel that followed."""
    walk = in_doubt("t-back-again").at(40).miss(1).miss(1).miss(1).at(41).see(1, 3)
    told = tale(tmp_path / "j.db", walk)
    _, back = lives(told, 42_000 * MS)
    stages = [span.stage for span in back.spans]
    assert stages[:2] == [Stage.SENDING, Stage.DOUBT]
    assert back.spans[2].from_ns == 41_000 * MS
    assert stages[-1] in {Stage.OPEN, Stage.LEAVING}
    assert back.levels[-1] == Level(41_000 * MS, D(3))
    assert Span(Stage.SENDING, 0, 5000 * MS) == back.spans[0]
