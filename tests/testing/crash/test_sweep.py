"""Every effect goes wrong in its turn; a wrong recovery is found, the real one passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from saboteurs import SABOTEURS

from fsm_arb.journal import JournalReader
from fsm_arb.testing.crash.effects import Kind, Mode, Strike
from fsm_arb.testing.crash.scenarios import SCENARIOS
from fsm_arb.testing.crash.sweep import Wrong, swept
from fsm_arb.testing.invariants import every_checker

NAMED = {scenario.name: scenario for scenario in SCENARIOS}
DEATHS = (Mode.DIES,)
LONG = ("exit", "exit rolls back", "in doubt, does not exist", "two at once", "rests, is cancelled", "late fill")


@pytest.mark.parametrize("name", [name for name in NAMED if name not in LONG])
def test_a_process_may_die_at_any_effect(name: str) -> None:
    """Whatever a trade is at, what is durable is enough, and it ends as some run without a crash does."""
    report = swept(NAMED[name], every_checker(), modes=DEATHS)
    assert list(map(str, report.wrong)) == []
    assert report.crashes == report.effects == report.trials - 1
    assert report.crashed


@pytest.mark.parametrize("name", LONG)
def test_a_process_may_die_in_a_long_story(name: str) -> None:
    """At every fourth effect; the command tries them all."""
    report = swept(NAMED[name], every_checker(), modes=DEATHS, deaths_every=4)
    assert list(map(str, report.wrong)) == []
    assert report.crashes == -(-report.effects // 4)


def test_any_effect_may_fail() -> None:
    """Once, or until it is healed: a disk as well as a venue."""
    report = swept(NAMED["partial, unwinds"], every_checker(), modes=(Mode.ONCE, Mode.ON), every=2)
    assert list(map(str, report.wrong)) == []
    assert report.crashes == 0
    assert {kind for kind, _ in report.struck} == set(Kind)


def test_a_process_may_die_again_while_it_recovers() -> None:
    """At each of the first effects of its second life."""
    report = swept(NAMED["both fill"], every_checker(), modes=DEATHS, deaths_every=3, again=4)
    assert list(map(str, report.wrong)) == []
    assert report.crashes == 5 * -(-report.effects // 3)


def test_real_files_are_enough(tmp_path: Path) -> None:
    """The journal of SQLite, its log and its mark as a kill -9 leaves them, at every third effect."""
    report = swept(NAMED["both fill"], every_checker(), modes=DEATHS, deaths_every=3, folder=tmp_path)
    assert list(map(str, report.wrong)) == []
    assert report.crashes == -(-report.effects // 3)
    journals = sorted(tmp_path.rglob("trades.db"))
    assert len(journals) >= report.crashes * 2
    for journal in journals:
        with JournalReader(journal) as reader:
            reader.verify()


@pytest.mark.parametrize("name", SABOTEURS)
def test_a_wrong_recovery_is_found(name: str) -> None:
    """Each of them, also the one whose harm is undone a moment later."""
    with SABOTEURS[name]():
        report = swept(NAMED["both fill"], every_checker(), modes=DEATHS, deaths_every=2)
    said = " ".join(str(wrong) for wrong in report.wrong)
    assert {
        "resends": "was sent 2 times",
        "resends_under_new_ids": "was sent before its intent was durable",
        "tells_no_trade": "it never came to rest",
        "believes_pending_dead": "it is dead with 0 BTC as we know it, the venue has executed 10",
        "journals_after_the_wire": "was sent before its intent was durable",
        "forgets_intents": "it never came to rest",
    }[name] in said


def test_an_ending_that_nothing_explains_is_found() -> None:
    """Were no run without a crash to end as a crashed one does, it would be said."""
    report = swept(NAMED["both fill"], (), modes=DEATHS, deaths_every=4)
    assert report.wrong == []
    alone = swept(Alone(), (), modes=DEATHS)  # type: ignore[arg-type]
    assert any("no run without a crash ends so" in wrong.what for wrong in alone.wrong)


class Alone:
    """A scenario of which no variation is known."""

    name = "alone"
    plot = NAMED["both fill"].plot

    def variations(self) -> object:
        return iter(())


def test_what_is_wrong_says_where() -> None:
    """Which effect, and how; so that it can be tried again."""
    strike = Strike(3, Mode.DIES)
    wrong = Wrong(strikes=(strike,), effects=("the process dies at effect 3: x",), what="a leg is naked")
    assert str(wrong) == "the process dies at effect 3: x: a leg is naked"
    assert str(Wrong(strikes=(), effects=(), what="a leg is naked")) == "nothing went wrong: a leg is naked"
