"""Books that are read forward from a recording."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fsm_arb.recordings import Track, span_of

D = Decimal
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "binance_l2_2024"
SPOT, USDM = FOLDER / "spot_btcusdt_20240808.gz", FOLDER / "usdm_btcusdt_20240808.gz"
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")
NS_PER_S = 1_000_000_000


def write(path: Path, lines: list[tuple[int, dict[str, Any]]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for at_ns, data in lines:
            file.write(f"{at_ns} {json.dumps(data)}\n")
    return path


def update(first: int, last: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"stream": "x", "data": {"e": "depthUpdate", "U": first, "u": last, "b": bids, "a": asks}}


def snapshot(last: int) -> dict[str, Any]:
    return {"lastUpdateId": last, "bids": [["100", "1"], ["99", "2"]], "asks": [["101", "1"], ["102", "2"]]}


def test_updates_are_applied_in_sequence(tmp_path: Path) -> None:
    """What is older than the snapshot is dropped; an amount of zero removes a level."""
    path = write(
        tmp_path / "a.gz",
        [
            (10, update(1, 5, [["100", "9"]], [])),
            (20, snapshot(5)),
            (25, {"data": {"e": "trade", "p": "1"}}),
            (30, update(6, 8, [["100", "0"]], [["101", "3"]])),
            (40, update(9, 9, [["98", "1"]], [])),
            (50, update(12, 12, [], [["103", "1"]])),
        ],
    )
    track = Track(path)
    assert (track.begins_ns, track.levels()[0][0]) == (20, (D(100), D(1)))
    assert track.play_to(35) == 1
    assert track.levels() == ([(D(99), D(2))], [(D(101), D(3)), (D(102), D(2))])
    assert track.play_to(40) == 2
    assert track.gaps == 0
    assert track.play_to(100) == 3
    assert (track.gaps, track.ended) == (1, True)


def test_a_span_is_told_without_applying_anything(tmp_path: Path) -> None:
    """From the first book to the last update; trades are no part of it, and neither is what came before."""
    lines = [
        (10, update(1, 5, [["100", "9"]], [])),
        (20, snapshot(5)),
        (30, update(6, 8, [], [])),
        (40, {"data": {"e": "trade"}}),
    ]
    assert span_of(write(tmp_path / "a.gz", lines)) == (20, 30)
    assert span_of(write(tmp_path / "b.gz", [(20, snapshot(5))])) == (20, 20)
    for number, some in enumerate(([], lines[:1])):
        with pytest.raises(ValueError, match="no depth snapshot"):
            span_of(write(tmp_path / f"{number}.gz", some))


def test_a_recording_without_a_snapshot_is_refused(tmp_path: Path) -> None:
    """There is no book to begin with."""
    with pytest.raises(ValueError, match="no depth snapshot"):
        Track(write(tmp_path / "a.gz", [(10, update(1, 5, [], []))]))


def test_only_the_best_levels_are_shown(tmp_path: Path) -> None:
    """Twenty a side, however deep the snapshot is; what an update takes away makes room for the next."""
    whole = {"lastUpdateId": 5, "bids": [[str(price), "1"] for price in range(1, 41)], "asks": [["50", "1"]]}
    track = Track(write(tmp_path / "a.gz", [(20, whole), (30, update(6, 6, [["40", "0"], ["7", "0"]], []))]))
    assert [price for price, _ in track.levels()[0]] == list(range(40, 20, -1))
    assert track.next_ns == 30
    track.play_to(30)
    assert [price for price, _ in track.levels()[0]] == list(range(39, 19, -1))
    assert track.next_ns is None


@recorded
@pytest.mark.parametrize("path", [SPOT, USDM], ids=["spot", "usdm"])
def test_a_real_recording_has_no_gaps_and_never_crosses(path: Path) -> None:
    """Twenty levels at every second of half a minute."""
    track = Track(path)
    for second in range(1, 31):
        track.play_to(track.begins_ns + second * NS_PER_S)
        bids, asks = track.levels()
        assert (len(bids), len(asks)) == (20, 20)
        assert D(60_000) < bids[0][0] < asks[0][0] < D(63_000)
    assert track.gaps == 0
    assert track.applied > 250
