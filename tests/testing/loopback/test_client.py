"""The server as a process: started, left, rejoined, stopped, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from fsm_arb.testing.loopback import LoopbackExchange, LoopbackUnavailable, Options
from fsm_arb.testing.loopback.client import config_for

ROOT = Path(__file__).resolve().parents[3]

TRADER = """
import asyncio, json, sys
from decimal import Decimal
import ccxt.async_support as ccxt
from fsm_arb.testing.loopback.client import config_for

async def main():
    state = json.load(open(sys.argv[1]))
    binance = ccxt.binance(config_for(state, "binance"))
    await binance.create_order("BTC/USDT", "limit", "buy", Decimal("0.01"), Decimal("100000"),
                               {"clientOrderId": "before", "timeInForce": "IOC"})
    print("traded", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_process_outlives_its_clients(tmp_path: Path) -> None:
    """A bot is killed in mid-flight; the server and its books live on, and the next process finds them."""
    state = tmp_path / "state.json"
    server = await LoopbackExchange.start_process(state, seed=3, step_ms=0)
    try:
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        bot = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            TRADER,
            str(state),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert bot.stdout is not None
        assert (await bot.stdout.readline()).strip() == b"traded"
        bot.send_signal(signal.SIGKILL)
        await bot.wait()
        await server.aclose()
        rejoined = await LoopbackExchange.rejoin(state)
        assert rejoined is not None
        async with rejoined:
            assert (rejoined.pid, rejoined.options.seed) == (server.pid, 3)
            order = (await rejoined.venue("binance")).order("before")
            assert order is not None
            assert order.filled == Decimal("0.01")
    finally:
        await server.stop()
    assert not state.exists()
    assert await LoopbackExchange.rejoin(state) is None


async def test_a_killed_server_is_not_found_again(tmp_path: Path) -> None:
    """Its state file is still there, and lies."""
    state = tmp_path / "state.json"
    server = await LoopbackExchange.start_process(state)
    config = config_for(json.loads(state.read_text()), "upbit")
    assert config["urls"]["api"]["public"] == f"{server.url}/upbit"
    await server.kill()
    assert state.exists()
    assert await LoopbackExchange.rejoin(state) is None


async def test_no_state_file_or_a_broken_one_is_no_server(tmp_path: Path) -> None:
    """None, and no exception."""
    assert await LoopbackExchange.rejoin(tmp_path / "none.json") is None
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    assert await LoopbackExchange.rejoin(broken) is None


async def test_a_server_that_does_not_start_is_said(tmp_path: Path) -> None:
    """With its exit code."""
    recordings = {("binance", "BTC/USDT"): tmp_path / "missing.gz"}
    with pytest.raises(LoopbackUnavailable, match="exit code 1"):
        await LoopbackExchange.start_process(tmp_path / "state.json", recordings=recordings)


async def test_an_idle_process_ends_by_itself(tmp_path: Path) -> None:
    """Nothing is left running when a test run is killed."""
    server = await LoopbackExchange.start_process(tmp_path / "state.json", idle_exit_s=0.2)
    await server.aclose()
    await server._gone()
    assert await LoopbackExchange.rejoin(tmp_path / "state.json") is None


async def test_a_server_in_this_process_cannot_be_killed(server: LoopbackExchange) -> None:
    """That would end the test."""
    with pytest.raises(LoopbackUnavailable):
        await server.kill()


async def test_stop_ends_a_server_in_this_process() -> None:
    """Nobody listens any more."""
    server = await LoopbackExchange(Options(seed=1)).start()
    await server.stop()
    with pytest.raises(OSError, match="Connect"):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_keys_look_like_secrets_and_config_is_json(server: LoopbackExchange) -> None:
    """So that another process can take it, and a test can search for what leaked."""
    for name in ("upbit", "binance", "binanceusdm"):
        config = json.loads(json.dumps(server.ccxt_config(name, timeout=5)))
        assert config["timeout"] == 5
        assert config["apiKey"].startswith("PLANTED")
        assert config["secret"].startswith("PLANTED")
