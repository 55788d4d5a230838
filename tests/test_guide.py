"""The guide for fuzzing one's own bot, and the examples beside it: every block runs, and does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import ccxt.async_support
import pytest

from fsm_arb.testing import botworld, naked, stateful, strategies

# Imported here, so that they are imported once and not again in each of the runs below.
HEAVY = (ccxt.async_support, botworld, naked, stateful, strategies)

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "fuzz-your-own-bot.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n# (test_\w+\.py): (fails|passes)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
STRICT = "[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\naddopts = --strict-markers\n"


@pytest.fixture
def examples(pytester: pytest.Pytester) -> pytest.Pytester:
    """A folder of somebody's own, with the examples in it and nothing of our own settings."""
    for path in (ROOT / "examples").glob("*.py"):
        pytester.path.joinpath(path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    pytester.makefile(".ini", pytest=STRICT)
    pytester.syspathinsert()
    return pytester


def run(folder: pytest.Pytester, name: str) -> pytest.RunResult:
    """Run one file; in this process, for what it needs has been imported already."""
    return folder.runpytest_inprocess("-q", "-p", "no:cacheprovider", name)


def test_every_block_says_what_it_does() -> None:
    """So that none of them goes untested."""
    assert len(BLOCKS) == GUIDE.count("```python") == 4


@pytest.mark.parametrize(("name", "does", "code"), BLOCKS, ids=[name for name, _, _ in BLOCKS])
def test_a_block_of_the_guide_runs(examples: pytest.Pytester, name: str, does: str, code: str) -> None:
    """Copied as it stands into a file of the name that it gives itself."""
    examples.path.joinpath(name).write_text(code, encoding="utf-8")
    result = run(examples, name)
    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"failed" if does == "fails" else "passed"}, result.stdout.str()


def test_the_failure_that_the_guide_shows_is_the_one_that_comes(examples: pytest.Pytester) -> None:
    """Word for word: the naked leg, the orders, the seed and the line that has it again."""
    name, _, code = BLOCKS[0]
    examples.path.joinpath(name).write_text(code, encoding="utf-8")
    out = re.sub(r"^E {7}", "", run(examples, name).stdout.str(), flags=re.MULTILINE)
    start = GUIDE.index("```\nAssertionError: ") + len("```\n")
    shown = GUIDE[start : GUIDE.index("```", start)]
    assert shown in out
    again = next(line for line in GUIDE.splitlines() if line.startswith("seed "))
    assert again in out


def test_the_naive_bot_leaves_a_naked_leg(examples: pytest.Pytester) -> None:
    """Each of the faults finds one, and the failure names it: how much, where, by which orders, and the seed."""
    result = run(examples, "test_naive_bot.py")
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] >= 4
    out = result.stdout.str()
    for fault in ("lost_after", "accepted_late", "hidden", "no_id"):
        assert re.search(rf"^FAILED test_naive_bot\.py::test_one_fault\[{fault}\]", out, re.MULTILINE), out
    assert len(re.findall(r"0\.00\d+ BTC is naked, (?:long|short), in excess on (?:binance|upbit)", out)) >= 4
    assert re.search(r"order \S+ 2: buy BTC/USDT, 0\.01 executed", out)
    assert re.search(r"seed \d+; again: pytest 'test_naive_bot\.py::test_one_fault\[lost_after\]'", out)


def test_fsm_arb_leaves_none(examples: pytest.Pytester) -> None:
    """The same faults on the same venues, and many more."""
    result = run(examples, "test_fsm_arb_bot.py")
    assert result.parseoutcomes() == {"passed": 14}, result.stdout.str()


def test_the_test_that_the_readme_shows_passes(examples: pytest.Pytester) -> None:
    """Copied as it stands."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = next(
        block
        for block in re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
        if "test_my_bot" in block
    )
    examples.path.joinpath("test_my_bot.py").write_text(code, encoding="utf-8")
    result = run(examples, "test_my_bot.py")
    assert result.parseoutcomes() == {"passed": 20}, result.stdout.str()


def test_every_link_of_the_guide_leads_somewhere() -> None:
    """A file that was moved takes its links with it."""
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", GUIDE) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).is_file()] == []
