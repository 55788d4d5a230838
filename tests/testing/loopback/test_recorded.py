"""Books from recordings."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fsm_arb.testing.loopback import LoopbackExchange
from fsm_arb.testing.loopback.books import GeneratedBooks, StepClock, Walk
from fsm_arb.testing.loopback.markets import MARKETS
from fsm_arb.testing.loopback.recorded import RecordedBooks, Recording

D = Decimal
FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "binance_l2_2024"
SPOT, USDM = FOLDER / "spot_btcusdt_20240808.gz", FOLDER / "usdm_btcusdt_20240808.gz"
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")


def write(path: Path, lines: list[tuple[int, dict[str, Any]]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for at_ns, data in lines:
            file.write(f"{at_ns} {json.dumps(data)}\n")
    return path


def update(first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"stream": "x", "data": {"e": "depthUpdate", "U": first, "u": last, "b": bids, "a": asks}}


def snapshot(last: int) -> dict[str, Any]:
    return {"lastUpdateId": last, "bids": [["100", "1"], ["99", "2"]], "asks": [["101", "1"], ["102", "2"]]}


def test_several_tracks_run_on_one_clock(tmp_path: Path) -> None:
    """It begins when all of them have a book, and runs as fast as it is told."""
    one = write(tmp_path / "a.gz", [(1_000_000, snapshot(5)), (5_000_000, update(6, 6, [["100", "7"]], []))])
    two = write(tmp_path / "b.gz", [(3_000_000, snapshot(5)), (9_000_000, update(6, 6, [["100", "8"]], []))])
    keys = {("binance", "BTC/USDT"): one, ("binanceusdm", "BTC/USDT:USDT"): two}
    recording = Recording(keys, speed=2.0, started_ms=1000)
    assert recording.at_ns(1000) == 3_000_000
    markets = {market.symbol: market for market in MARKETS["binance"]}
    generated = GeneratedBooks("binance", markets, Walk(seed=1), StepClock(0, 50))
    books = RecordedBooks("binance", recording, generated)
    assert [books.version("BTC/USDT", at) for at in (1000, 1001)] == [0, 1]
    assert tuple(books.missed("BTC/USDT", 0, 1001)) == (1,)
    assert tuple(books.missed("BTC/USDT", 1, 1001)) == ()
    assert books.levels("ETH/USDT", 3) == generated.levels("ETH/USDT", 3)
    assert list(books.missed("ETH/USDT", 19, 1001)) == [20]


@recorded
async def test_a_server_replays_both_markets() -> None:
    """Their books move, and orders trade against them."""
    recordings = {("binance", "BTC/USDT"): SPOT, ("binanceusdm", "BTC/USDT:USDT"): USDM}
    async with LoopbackExchange(recordings=recordings, speed=20.0) as server:
        spot, usdm = server.ccxt("binance"), server.ccxt("binanceusdm")
        first = await spot.fetch_order_book("BTC/USDT", 20)
        perp = await usdm.fetch_order_book("BTC/USDT:USDT", 20)
        assert abs(first["bids"][0][0] / perp["bids"][0][0] - 1) < 0.002
        order = await spot.create_order("BTC/USDT", "market", "buy", 0.01)
        assert order["filled"] == 0.01
        assert abs(order["average"] / first["asks"][0][0] - 1) < 0.001
        upbit = await server.book("upbit", "BTC/KRW")
        assert abs(float(upbit.bids[0].price) / 1400 / first["bids"][0][0] - 1) < 0.05
