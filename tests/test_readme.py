"""The README: what it shows runs, and what it lists is what the code holds."""

from __future__ import annotations

import asyncio
import inspect
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import fields

from fsm_arb import errors
from fsm_arb.journal.reader import JournalReader
from fsm_arb.messages import Outcome
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.testing.loopback import FaultKind, LoopbackExchange
from fsm_arb.venues.dialects import DIALECTS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES_MAX = 25  # "twenty lines", the blank ones aside
BOT_LINES_MAX = 60


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found.group(1)


def rows(title: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# ------------------------------------------------------------------ what it shows


def test_the_diagram_is_the_machine_that_runs() -> None:
    """The committed drawing, which is checked against the table, and no other."""
    assert blocks("mermaid") == [(ROOT / "diagrams" / "trade.mmd").read_text(encoding="utf-8")]


async def test_the_lines_for_a_bot_trade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Copied as they stand, with the exchange objects led to loopback, they make a hedged trade."""
    code = next(block for block in blocks("python") if "asyncio.run(main())" in block)
    assert len([line for line in code.splitlines() if line.strip()]) <= LINES_MAX
    assert code.count('({"apiKey": "...", "secret": "..."})') == 2
    code = re.sub(r'ccxt\.(\w+)\(\{"apiKey".*?\}\)', r'loopback.ccxt("\1")', code)
    code = code.replace("asyncio.run(main())", "")
    monkeypatch.chdir(tmp_path)
    async with LoopbackExchange(step_ms=0) as loopback:
        await loopback.set_book("upbit", "BTC/KRW", bids=[("95100000", 1)], asks=[("95110000", 1)])
        await loopback.set_book("binance", "BTC/USDT", bids=[("67890", 1)], asks=[("67900", 1)])
        told: dict[str, Any] = {"loopback": loopback}
        exec(compile(code, "README.md", "exec"), told)  # noqa: S102 - that it runs is what is tested
        await told["main"]()
        truth = await loopback.truth()
    assert capsys.readouterr().out.split()[0] == "success"
    assert abs(truth.net("BTC")) < Decimal("0.00001")
    assert truth["upbit"].bought("BTC/KRW") < Decimal("-0.01")
    reads_back(tmp_path / "trades.db", capsys)


def reads_back(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines for reading the journal read it, hashes checked."""
    with JournalReader(journal) as reader:
        trade_id = next(reader.streams("trade/")).removeprefix("trade/")
    code = next(block for block in blocks("python") if "JournalReader" in block)
    exec(compile(code, "README.md", "exec"), {"trade_id": trade_id})  # noqa: S102 - likewise
    out = capsys.readouterr().out
    assert "records, every one as it was written" in out
    assert "PRECHECK checks_passed SIZING" in out


@pytest.mark.parametrize("live", [False, True])
async def test_the_bot_makes_a_round_trip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, live: bool
) -> None:
    """On paper and for money: entered on two percent, left when they are gone; on paper no order reaches a venue."""
    code = next(block for block in blocks("python") if block.startswith("# bot.py"))
    assert len(code.splitlines()) <= BOT_LINES_MAX
    monkeypatch.chdir(tmp_path)
    for name in ("UPBIT", "BINANCE"):
        monkeypatch.setenv(f"{name}_KEY", "key")
        monkeypatch.setenv(f"{name}_SECRET", "secret")
    async with LoopbackExchange(step_ms=0) as loopback:
        told: dict[str, Any] = {"loopback": loopback, "__name__": "bot"}
        code = re.sub(r'ccxt\.(\w+)\(keys\("\w+"\)\)', r'loopback.ccxt("\1")', code)
        exec(compile(code, "README.md", "exec"), told)  # noqa: S102 - likewise
        told["EVERY_S"] = 0.05
        await spread(loopback, 2)
        bot = asyncio.ensure_future(told["main"](live=live))
        try:
            entered = await printed(capsys, bot)
            await spread(loopback, 0)
            left = await printed(capsys, bot)
        finally:
            bot.cancel()
            await asyncio.wait({bot})
        truth = await loopback.truth()
    assert (entered[1:3], left[1:3]) == (["entry_positive", "success"], ["exit_tp", "success"])
    assert (len(truth["upbit"].orders), len(truth["binance"].orders)) == ((2, 2) if live else (0, 0))
    assert abs(truth.net("BTC")) < Decimal("0.00001")
    with JournalReader(tmp_path / ("trades.db" if live else "paper.db")) as reader:
        assert len(list(reader.streams("trade/"))) == 2


async def spread(loopback: LoopbackExchange, percent: int) -> None:
    """Make bitcoin dearer on Upbit than on Binance, at 1400 KRW a USDT."""
    dear = Decimal(67_900) * 14 * (100 + percent)
    await loopback.set_book("upbit", "BTC/KRW", bids=[(dear - 500, 8)], asks=[(dear + 500, 8)])
    await loopback.set_book("binance", "BTC/USDT", bids=[("67899.5", 8)], asks=[("67900.5", 8)])
    await loopback.set_book("upbit", "USDT/KRW", bids=[(1399, 9000)], asks=[(1401, 9000)])


async def printed(capsys: pytest.CaptureFixture[str], bot: asyncio.Future[None]) -> list[str]:
    """Return the words of the next line that the bot prints."""
    async with asyncio.timeout(20):
        while not bot.done():
            out = capsys.readouterr().out
            if out:
                return out.splitlines()[0].split()
            await asyncio.sleep(0.02)
    raise AssertionError(bot.exception())


def test_the_two_commands_stand_there_once() -> None:
    """The project's own check takes the second from here, and from nowhere else."""
    lines = README.splitlines()
    setups = [line for line in lines if line.startswith("python3 -m venv .venv && ")]
    assert len(setups) == 2
    assert setups[0].endswith(".venv/bin/fsm-arb demo")
    assert [line for line in setups if "pytest" in line] == setups[1:]


def test_every_link_into_the_project_leads_somewhere() -> None:
    """A file that was moved takes its links with it."""
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).is_file()] == []


# ------------------------------------------------------------------ what it lists


def test_the_policy_table_says_what_the_docstring_says() -> None:
    """Name, default and meaning of every number, in the code's own order."""
    text = inspect.getdoc(ExecutionPolicy) or ""
    told = dict(re.findall(r"^    (\w+): (.+)$", text[text.index("Attributes:") :], re.MULTILINE))
    expected = []
    for attribute in fields(ExecutionPolicy):
        default = getattr(attribute.default, "value", attribute.default)
        expected.append([f"`{attribute.name}`", f"`{default}`", told[attribute.name].replace("``", "`")])
    assert rows("Policy") == expected


def test_every_outcome_is_explained() -> None:
    """And no other."""
    assert [names(row[0]) for row in rows("How a trade ends")] == [[outcome.value] for outcome in Outcome]


def test_every_error_is_named() -> None:
    """A bot's author sees all that can be raised; a name that is gone from the code is gone from here."""
    listed = [name for row in rows("What is raised") for name in names(row[0])]
    known = {name for name, each in vars(errors).items() if inspect.isclass(each)} - {"FsmArbError"}
    assert set(listed) == known
    assert len(listed) == len(set(listed))


def test_the_listed_exchanges_are_those_with_a_row() -> None:
    """In alphabetical order, so that one can be looked for."""
    listed = re.search(r"dialects.py`: ([\w,\s]+)\.", section("Exchanges"))
    assert listed is not None
    assert re.split(r",\s+", listed.group(1)) == sorted(DIALECTS)


def test_every_fault_that_can_be_injected_has_its_answer() -> None:
    """The table of faults is the exchange's own list."""
    listed = [name for row in rows("Faults it survives") for name in names(row[0])]
    assert sorted(listed) == sorted(kind.value for kind in FaultKind)
