"""The command `fsm-arb backtest`."""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from recorded_books import Swing, csv_of

from fsm_arb.backtest.page import span
from fsm_arb.journal.reader import JournalReader
from fsm_arb.scribe import TRADE

Run = Callable[..., Result]
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "binance_l2_2024"
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")

SETTINGS = """
legs = ["upbit BTC/KRW", "binance BTC/USDT"]

[strategy]
notional = "950000 KRW"
entry_pct = 0.5
entry_basis = "gross"
take_profit_pct = 0.4
hold_max_s = 60
liquidity_min = "100000 KRW"

[fx]
"USDT/KRW" = 1400

[balances.upbit]
KRW = 100000000
BTC = 2

[balances.binance]
USDT = 200000
BTC = 2

[[markets]]
exchange = "upbit"
symbol = "BTC/KRW"
lot = "0.00001"
tick = 1000
notional_min = 5000
taker_fee = 0.001

[[markets]]
exchange = "binance"
symbol = "BTC/USDT"
lot = "0.00001"
tick = 0.1
notional_min = 5
taker_fee = 0.001
fee_in = "base_on_buy"
"""


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """Books and settings of a user's own."""
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    return csv_of(tmp_path / "books.csv", Swing(seconds=50)), settings


def test_it_ends_in_a_table_a_page_a_picture_and_a_journal(run: Run, own: tuple[Path, Path], tmp_path: Path) -> None:
    """What is printed is what the page says, and the journal is one that can be audited."""
    books, settings = own
    folder = tmp_path / "out"
    done = run("backtest", "--books", books, "--settings", settings, "--dir", folder)
    assert done.exit_code == 0, done.output
    assert re.search(r"entry +success +3 +-?[\d,.]+ KRW", done.output)
    assert re.search(r"exit +success +2 ", done.output)
    assert "Worth at the end: -" in done.output
    assert "Positions left open: 1 of 3." in done.output
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "upbit BTC/KRW against binance BTC/USDT" in page
    assert (folder / "backtest.log").exists()
    assert (folder / "worth.svg").read_text(encoding="utf-8").startswith("<svg")
    with JournalReader(folder / "trades.db") as reader:
        assert reader.verify() > 0
        assert list(reader.streams(TRADE)) == [f"trade/b00000{n}" for n in (1, 2, 3, 4, 5)]
        digest = list(reader.records())[-1].hash
    assert f"Digest: {digest}" in done.output
    shown = run("show", "b000001", "--journal", folder / "trades.db")
    assert "SUCCESS" in shown.output


def test_the_same_again_is_the_same_and_another_seed_is_not(run: Run, own: tuple[Path, Path], tmp_path: Path) -> None:
    """To the last record; the seed of the command goes before that of the file."""
    books, settings = own

    def digest(*more: object) -> str:
        done = run("backtest", "--books", books, "--settings", settings, "--jitter", "20", *more)
        assert done.exit_code == 0, done.output
        found = re.search(r"Digest: ([0-9a-f]{64})", done.output)
        assert found is not None
        return found[1]

    assert digest() == digest() != digest("--seed", "8")
    assert digest("--latency", "300") != digest("--tick", "0.5") != digest()


OWN = """
from fsm_arb.strategy.verdicts import Reason, ReasonCode, Verdict
from fsm_arb.values import Action


class Idle:
    def __init__(self, setup):
        self.notional = setup.notional

    def entry(self, context):
        return Verdict(action=Action.NO_ACTION, reason=Reason(code=ReasonCode.LIQUIDITY, words="never"))

    def exit(self, context, held):
        raise NotImplementedError


class Other:
    pass


READY = Idle(type("Setup", (), {"notional": None}))


def make(setup):
    return Other()
"""


@pytest.mark.parametrize(("name", "what"), [
    ("Idle", "What the strategy said of entries: 50 liquidity."),
    ("READY", "What the strategy said of entries: 50 liquidity."),
    ("make", "Other has no methods entry and exit"),
    ("gone", "has no attribute 'gone'"),
    ("", "must be MODULE:NAME"),
])  # fmt: skip
def test_a_strategy_of_one_s_own(
    run: Run, own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    """An object, or what makes one; found where the command was called."""
    tmp_path = own[0].parent
    (tmp_path / f"own_{name}_bot.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    arguments = "--books", own[0], "--settings", own[1], "--dir", tmp_path / "out"
    done = run("backtest", *arguments, "--strategy", f"own_{name}_bot:{name}")
    assert what in done.output
    assert run("backtest", *arguments, "--strategy", "no_such_bot:x").exit_code == 1


def test_a_journal_that_is_there_is_left_alone(run: Run, own: tuple[Path, Path], tmp_path: Path) -> None:
    """Found out before the run, not after it."""
    books, settings = own
    (tmp_path / "trades.db").write_text("mine")
    done = run("backtest", "--books", books, "--settings", settings, "--dir", tmp_path)
    assert done.exit_code == 1
    assert "a backtest writes a journal of its own" in done.output
    assert (tmp_path / "trades.db").read_text() == "mine"


def test_a_folder_that_cannot_be_is_said(run: Run, own: tuple[Path, Path]) -> None:
    """It is below a file."""
    books, settings = own
    done = run("backtest", "--books", books, "--settings", settings, "--dir", books / "below")
    assert done.exit_code == 1
    assert "cannot be made" in done.output


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "say what to trade on"),
        (["--books", "BOOKS", "--record", "BOOKS", "BOOKS"], "say what to trade on"),
        (["--books", "BOOKS"], "--books needs --settings"),
        (["--record", "BOOKS", "BOOKS"], "is no recording"),
        (["--books", "SETTINGS", "--settings", "SETTINGS"], ":1"),
        (["--books", "BOOKS", "--settings", "BOOKS"], "is no TOML"),
    ],
)
def test_what_cannot_be_run_is_said(run: Run, own: tuple[Path, Path], arguments: list[str], what: str) -> None:
    """In one sentence, without a traceback."""
    names = {"BOOKS": str(own[0]), "SETTINGS": str(own[1])}
    done = run("backtest", *(names.get(each, each) for each in arguments))
    assert done.exit_code != 0
    assert what in done.output
    assert "Traceback" not in done.output


def test_a_line_that_is_wrong_is_named_with_its_file(run: Run, own: tuple[Path, Path]) -> None:
    """As an editor would be told to open it."""
    books, settings = own
    lines = books.read_text().splitlines()
    lines[4] = lines[4].replace("binance", "")
    books.write_text("\n".join(lines))
    done = run("backtest", "--books", books, "--settings", settings)
    assert "books.csv:5" in done.output.replace("\n", "")


def test_a_market_without_books_is_named(run: Run, own: tuple[Path, Path]) -> None:
    """The settings and the books are of two pairs."""
    books, settings = own
    settings.write_text(
        SETTINGS.replace("BTC/USDT", "BTC/USDC").replace("USDT/KRW", "USDC/KRW").replace("USDT", "USDC")
    )
    done = run("backtest", "--books", books, "--settings", settings)
    assert done.exit_code == 1
    assert "there are no books of it" in done.output


def test_a_quiet_market_is_no_error(run: Run, own: tuple[Path, Path], tmp_path: Path) -> None:
    """Nothing was traded: no journal, and what the strategy said instead."""
    books, settings = own
    settings.write_text(SETTINGS.replace("entry_pct = 0.5", "entry_pct = 50"))
    done = run("backtest", "--books", books, "--settings", settings, "--dir", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "Digest: nothing was traded" in done.output
    assert re.search(r"What the strategy said of entries: .*\d+ spread", done.output)
    assert not (tmp_path / "out" / "trades.db").exists()


def recording(path: Path, middle: int, moves: int) -> Path:
    """A few seconds of a market whose best bid moves a little, back and forth."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        rows = [[str(middle - n), "5"] for n in range(1, 25)], [[str(middle + n), "5"] for n in range(1, 25)]
        file.write(f"1000000000 {json.dumps({'lastUpdateId': 1, 'bids': rows[0], 'asks': rows[1]})}\n")
        for n in range(moves):
            data = {"e": "depthUpdate", "U": n + 2, "u": n + 2, "b": [[str(middle - 1), str(5 + n % 2)]], "a": []}
            file.write(f"{1_100_000_000 + n * 100_000_000} {json.dumps({'data': data})}\n")
    return path


def test_two_recordings_are_traded_with_the_venues_own_rules(run: Run, tmp_path: Path) -> None:
    """Spot against futures, one basis point wide enough."""
    spot, usdm = recording(tmp_path / "a.gz", 60_060, 40), recording(tmp_path / "b.gz", 60_000, 40)
    done = run("backtest", "--record", spot, usdm)
    assert done.exit_code == 0, done.output
    assert "binance BTC/USDT against binanceusdm BTC/USDT:USDT" in done.output
    assert re.search(r"entry +success +1 ", done.output)


@recorded
def test_the_real_recordings_are_traded_to_their_end(run: Run, tmp_path: Path) -> None:
    """Minutes in seconds; every entry and exit hedged, and the fees what they are."""
    from fsm_arb.backtest import RecordedBooks, backtest
    from fsm_arb.backtest.setup import SPOT, USDM, binance_setup

    paths = {SPOT: FOLDER / "spot_btcusdt_20240808.gz", USDM: FOLDER / "usdm_btcusdt_20240808.gz"}
    report = backtest(binance_setup(tick_s=5), RecordedBooks(paths))
    assert report.opened >= report.closed > 2
    assert {trade.status for trade in report.trades} <= {"success", "partial_hedged", "rolled_back"}
    volume = sum((trade.quantity for trade in report.trades), Decimal(0)) * 61_700
    assert report.total.fees == pytest.approx(volume * Decimal("0.0015"), rel=Decimal("0.01"))
    assert "69 looks" in span(report)
