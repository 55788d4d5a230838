"""The page about decisions: what it shows trades, and what it lists is what the code holds."""

from __future__ import annotations

import inspect
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import fields

sys.path.insert(0, str(Path(__file__).parent / "executor"))

from hall import Hall, open_hall

from fsm_arb import (
    Action,
    BookFx,
    CrossExchangeIntegration,
    CrossExchangeOrchestrator,
    Fees,
    Leg,
    Listing,
    Money,
    StrategyThresholds,
    SymbolMap,
    ThresholdStrategy,
)
from fsm_arb.ids import fresh_decision_id
from fsm_arb.strategy import gates, verdicts
from fsm_arb.strategy.verdicts import ReasonCode
from fsm_arb.venues.ccxt_venue import CcxtVenue

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
D = Decimal
KRW_LEG, USDT_LEG = Leg("upbit", "BTC/KRW"), Leg("binance", "BTC/USDT")


def section(title: str) -> str:
    """Return the text below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found.group(1)


def rows(title: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# ------------------------------------------------------------------ what it lists


def test_the_table_of_thresholds_says_what_the_class_says() -> None:
    """Name, default and meaning of every number, in the code's own order."""
    text = inspect.getdoc(StrategyThresholds) or ""
    told = re.findall(r"^    (\w+): (.+(?:\n     +.+)*)", text[text.index("Attributes:") :], re.MULTILINE)
    meaning = {name: " ".join(words.split()) for name, words in told}
    expected = [
        [f"`{each.name}`", f"`{getattr(each.default, 'value', each.default)}`", meaning[each.name]]
        for each in fields(StrategyThresholds)
    ]
    assert rows("Thresholds") == expected


def test_every_reason_is_explained() -> None:
    """In the words that stand beside it in the code."""
    beside = re.findall(r'^    [A-Z_]+ = "(\w+)"  # (.+)$', inspect.getsource(verdicts), re.MULTILINE)
    assert [(names(row[0])[0], row[1]) for row in rows("Reasons")] == beside
    assert [code for code, _ in beside] == [code.value for code in ReasonCode]


def test_the_gates_stand_in_the_order_in_which_they_are_judged() -> None:
    """Those of entries, and those of exits."""
    entering = [name for name in names(section("When to enter")) if name.endswith("_gate")]
    assert entering == [gate.__name__ for gate in gates.ENTRY_GATES]
    leaving = [name for name in names(section("When to leave")) if name.startswith("exit_on_")]
    assert leaving == [gate.__name__ for _, gate in gates.EXIT_GATES]


def test_every_source_of_rates_that_it_names_is_there() -> None:
    """In a table, from the package's own door."""
    import fsm_arb

    assert all(hasattr(fsm_arb, names(row[0])[0]) for row in rows("What one currency is worth in the other"))


# ------------------------------------------------------------------ what it shows


def shown() -> Any:
    """Return the page's own function that looks at one pair."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    told: dict[str, Any] = {}
    exec(compile(code, "decisions.md", "exec"), told)  # noqa: S102 - that it runs is what is tested
    return told["look"]


async def show_spread(hall: Hall, pct: str) -> None:
    """Make Upbit's bitcoin dearer than Binance's by *pct* percent, at 1400 KRW a USDT."""
    dear = D(67_900) * 1400 * (100 + D(pct)) / 100
    await hall.server.set_book("upbit", "BTC/KRW", bids=[(dear - 500, 8)], asks=[(dear + 500, 8)])
    await hall.server.set_book("binance", "BTC/USDT", bids=[("67899.5", 8)], asks=[("67900.5", 8)])
    await hall.server.set_book("upbit", "USDT/KRW", bids=[(1399, 9000)], asks=[(1401, 9000)])


async def test_from_prices_to_a_round_trip(tmp_path: Path) -> None:
    """Real ccxt markets and books: the pair is found, entered on two percent, held, and left when that is gone."""
    look = shown()
    async with open_hall(tmp_path) as hall:
        exchanges = {name: hall.server.ccxt(name) for name in ("upbit", "binance")}
        venues = {name: CcxtVenue(exchange, name=name) for name, exchange in exchanges.items()}
        for exchange in exchanges.values():
            await exchange.load_markets()
        symbols = SymbolMap({
            "upbit": Listing(markets=exchanges["upbit"].markets, quotes=["KRW"]),
            "binance": Listing(markets=exchanges["binance"].markets, quotes=["USDT"], kinds=["spot"]),
        })  # fmt: skip
        legs = symbols.pair(KRW_LEG, "binance").legs
        assert legs == (KRW_LEG, USDT_LEG)
        fx = BookFx(Leg("upbit", "USDT/KRW"))
        strategy = ThresholdStrategy(notional=Money(D(10_000_000), "KRW"))
        integration = CrossExchangeIntegration(strategy=strategy, decision_ids=fresh_decision_id)
        await show_spread(hall, "2")
        async with hall.executor(venues=venues, fx=fx) as executor:
            orchestrator = CrossExchangeOrchestrator(integration, executor, enable_execution=True)
            context = await look(venues, legs, fx, executor)
            assert context.fees[0] != Fees()
            entered = await orchestrator.process_entry_tick(context)
            assert [result.status for result in entered.results] == ["success"]
            assert entered.decisions[0].action is Action.ENTRY_POSITIVE

            context = await look(venues, legs, fx, executor)
            assert (await orchestrator.process_exit_tick(context)).results == ()
            assert [each.verdict.reason.code for each in integration.told] == [ReasonCode.HOLD]
            assert (await orchestrator.process_entry_tick(context)).results == ()
            assert [each.verdict.reason.code for each in integration.told] == [ReasonCode.POSITIONS]

            await show_spread(hall, "0.2")
            left = await orchestrator.process_exit_tick(await look(venues, legs, fx, executor))
            assert [result.status for result in left.results] == ["success"]
            assert left.decisions[0].action is Action.EXIT_TP
            (position,) = executor.positions()
            assert position.state == "CLOSED"
            assert position.realised_pnl is not None
            assert position.realised_pnl > 0
        truth = await hall.check()
        assert truth.net("BTC") == entered.results[0].net_exposure + left.results[0].net_exposure
        assert abs(truth.net("BTC")) < D("0.00001")
