"""Options, as JSON and as command-line arguments."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest

from fsm_arb.matching.market import FeeRule
from fsm_arb.testing.loopback import LoopbackExchange, Options
from fsm_arb.testing.loopback.__main__ import options_of, parser, serve
from fsm_arb.testing.loopback.markets import BALANCES

FULL = Options(
    seed=3,
    latency_ms={"upbit": 5.0},
    balances={"upbit": {"KRW": Decimal("1.5")}},
    spot_fees=FeeRule.BNB,
    recordings={("binance", "BTC/USDT"): Path("x.gz")},
)


def test_options_survive_json() -> None:
    """As a process is started with them."""
    assert Options.from_json(json.dumps(FULL.to_json())) == FULL


def test_the_command_line_comes_on_top() -> None:
    """Of what is given as JSON."""
    line = ["--options", json.dumps(FULL.to_json()), "--seed", "9", "--latency", "binance=3", "--profile", "some"]
    line += ["--recording", "binanceusdm:BTC/USDT:USDT=y.gz", "--step-ms", "0"]
    options = options_of(parser().parse_args(line))
    assert (options.seed, options.profile, options.step_ms) == (9, "some", 0)
    assert options.latency_ms == {"upbit": 5.0, "binance": 3.0}
    assert options.recordings["binanceusdm", "BTC/USDT:USDT"] == Path("y.gz")
    assert options.spot_fees is FeeRule.BNB
    with pytest.raises(SystemExit):
        parser().parse_args(["--latency", "binance"])


def test_balances_are_the_defaults_unless_given() -> None:
    """Per venue, whole."""
    assert FULL.opening_balances("upbit") == {"KRW": Decimal("1.5")}
    assert FULL.opening_balances("binance") == BALANCES["binance"]


async def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    """And leaves its state file to whoever called it."""
    state = tmp_path / "state.json"
    task = asyncio.create_task(serve(Options(seed=2), 0, state))
    server = None
    while server is None:
        await asyncio.sleep(0.01)
        server = await LoopbackExchange.rejoin(state)
    assert server.options.seed == 2
    await server.control("stop")
    await server.aclose()
    await task
