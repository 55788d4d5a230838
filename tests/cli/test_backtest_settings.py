"""A backtest's setup from a file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fsm_arb.cli import backtest_settings
from fsm_arb.cli.backtest_settings import read_setup
from fsm_arb.errors import InvalidInput
from fsm_arb.spread import Basis
from fsm_arb.values import FeeIn, Leg, Money, TickBand

D = Decimal

WHOLE = """
legs = ["upbit BTC/KRW", "usdm BTC/USDT:USDT"]
tick_s = 0.5
latency_ms = 25
jitter_ms = 5
seed = 11

[strategy]
notional = "1_000_000 KRW"
entry_pct = 0.7
entry_basis = "executable"
positions_max = 2
exit_on_degraded = false
volatility_reference_pct = 0.1
liquidity_min = "5 USDT"

[fx]
"USDT/KRW" = 1400.5

[balances.upbit]
KRW = 100000000
BTC = 0.25

[balances.usdm]
USDT = 5

[[markets]]
exchange = "upbit"
symbol = "BTC/KRW"
lot = "0.00000001"
tick = 1000
amount_min = 0.001
amount_max = 50
notional_min = 5000
taker_fee = 0.0005
maker_fee = 0.0002
fee_in = "base_on_buy"

[[markets]]
exchange = "usdm"
symbol = "BTC/USDT:USDT"
lot = 0.001
tick = 0.1
taker_fee = 0.0004
contract = true
leverage = 10

[policy]
placement = "sequential"
order_type = "limit"
fill_timeout_s = 2
attempts_max = 3

[risk]
daily_loss = "1000000 KRW"
consecutive_losses = 4
capital = "50000000 KRW"
overall = {imbalance = 0.4, loss = "2000000 KRW"}
"""


def read(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return read_setup(file)


def test_every_number_arrives_where_it_belongs(tmp_path: Path) -> None:
    """Floats of a file are decimals from the first digit on."""
    made = read(tmp_path, WHOLE)
    assert made.legs == (Leg("upbit", "BTC/KRW"), Leg("usdm", "BTC/USDT:USDT"))
    assert (made.tick_s, made.latency_ms, made.jitter_ms, made.seed) == (D("0.5"), 25, 5, 11)
    assert made.notional == Money(D(1_000_000), "KRW")
    thresholds = made.thresholds
    assert (thresholds.entry_pct, thresholds.entry_basis, thresholds.positions_max) == (D("0.7"), Basis.EXECUTABLE, 2)
    assert (thresholds.exit_on_degraded, thresholds.volatility_reference_pct) == (False, D("0.1"))
    assert thresholds.liquidity_min == Money(D(5), "USDT")
    assert (made.rates, made.fx_book) == ({"USDT/KRW": "1400.5"}, None)
    assert made.balances == {"upbit": {"KRW": D(100_000_000), "BTC": D("0.25")}, "usdm": {"USDT": D(5)}}
    first, second = made.rules
    assert (first.lot, first.ticks, first.amount_min, first.amount_max) == (
        D("0.00000001"),
        (TickBand(D(0), D(1000)),),
        D("0.001"),
        50,
    )
    assert (first.notional_min, first.taker_fee, first.maker_fee) == (5000, D("0.0005"), D("0.0002"))
    assert (first.fee_in, first.spot, first.leverage) == (FeeIn.BASE_ON_BUY, True, 1)
    assert (second.fee_in, second.spot, second.leverage) == (FeeIn.QUOTE, False, 10)
    assert (second.maker_fee, second.taker_fee) == (D("0.0004"), D("0.0004"))
    assert (made.policy.placement.value, made.policy.order_type.value, made.policy.attempts_max) == (
        "sequential",
        "limit",
        3,
    )
    assert made.limits is not None
    assert (made.limits.daily_loss, made.limits.consecutive_losses) == (Money(D(1_000_000), "KRW"), 4)
    assert (made.limits.overall.imbalance, made.limits.overall.loss) == (D("0.4"), Money(D(2_000_000), "KRW"))


def test_what_is_left_out_is_as_by_default(tmp_path: Path) -> None:
    """No risk guard, and a book may tell the rate."""
    text = WHOLE[: WHOLE.index("[policy]")].replace('"USDT/KRW" = 1400.5', 'book = "upbit USDT/KRW"')
    made = read(tmp_path, text)
    assert (made.limits, made.fx_book, made.rates) == (None, Leg("upbit", "USDT/KRW"), {})
    assert made.policy.placement.value == "simultaneous"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("tick_s = 0.5", "tick_s = ", "is no TOML"),
        ("tick_s = 0.5", "tock_s = 1", "names tock_s; it may name balances"),
        ("tick_s = 0.5", "tick_s = -1", "tick_s"),
        ("seed = 11", 'seed = "eleven"', "seed"),
        ('["upbit BTC/KRW", "usdm BTC/USDT:USDT"]', '["upbit BTC/KRW"]', "legs: must be two"),
        ('"upbit BTC/KRW"', '"BTC/KRW"', "must be an exchange and a symbol"),
        ('"upbit BTC/KRW"', '"upbit KRW-BTC"', "symbol"),
        ('"upbit BTC/KRW"', '"upbit ETH/KRW"', "markets: lack upbit ETH/KRW"),
        ('notional = "1_000_000 KRW"', "", "strategy: lacks notional"),
        ('"1_000_000 KRW"', "1000000", "must be an amount and a currency"),
        ("entry_pct = 0.7", "entry_prc = 0.7", "strategy: there is no entry_prc; there are entry_pct"),
        ("entry_pct = 0.7", "entry_pct = 700", "entry_pct"),
        ("entry_pct = 0.7", "entry_pct = true", "must be Decimal, int or str"),
        ('"executable"', '"best"', "must be one of gross, executable, net"),
        ("KRW = 100000000", 'KRW = "much"', "balances.upbit.KRW"),
        ("lot = 0.001\n", "", "markets, number 2: lacks lot"),
        ("lot = 0.001\n", "lot = 0\n", "lot=Decimal"),
        ("tick = 0.1\n", "tick = -0.1\n", "tick=Decimal"),
        ('"base_on_buy"', '"gold"', "markets, number 1: 'gold' is not a valid FeeIn"),
        ("contract = true", "kontract = true", "markets, number 2: there is no kontract"),
        ('"sequential"', '"maker_taker"', "policy"),
        ('daily_loss = "1000000 KRW"', "", "risk: lacks daily_loss"),
        ("imbalance = 0.4", "imbalance = 4", "imbalance"),
        ("imbalance = 0.4", "balance = 4", "risk: there is no balance; there are loss, exposure, imbalance"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, old: str, new: str, what: str) -> None:
    """File, section, field and value."""
    assert old in WHOLE
    with pytest.raises(InvalidInput, match=r"settings\.toml") as raised:
        read(tmp_path, WHOLE.replace(old, new, 1))
    assert what in str(raised.value)


@pytest.mark.parametrize("section", ["strategy", "balances", "markets"])
def test_a_section_that_is_needed_is_named(tmp_path: Path, section: str) -> None:
    """Each of them holds what nobody could guess."""
    text = "\n".join(part for part in WHOLE.split("\n\n") if f"[{section}" not in part)
    with pytest.raises(InvalidInput, match=f"lacks {section}"):
        read(tmp_path, text)


@pytest.mark.parametrize("text", ["markets = 5", "[markets]\nlot = 5"])
def test_markets_are_tables(tmp_path: Path, text: str) -> None:
    """Each headed by its own line."""
    parts = [part for part in WHOLE.split("\n\n") if "[[markets]]" not in part]
    parts.insert(1, text) if text.startswith("markets") else parts.append(text)
    with pytest.raises(InvalidInput, match="each headed"):
        read(tmp_path, "\n\n".join(parts))


def test_what_is_no_text_is_no_settings(tmp_path: Path) -> None:
    """Told as such."""
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="is no TOML"):
        read_setup(file)


def test_the_example_of_its_own_page_is_read(tmp_path: Path) -> None:
    """With the market that it leaves to the reader, and nothing else."""
    text = (backtest_settings.__doc__ or "").partition("::\n")[2].partition("\nThen")[0]
    other = '[[markets]]\nexchange = "binance"\nsymbol = "BTC/USDT"\nlot = 0.001\ntick = 0.1\ntaker_fee = 0.001\n'
    made = read(tmp_path, f"{text}\n[balances.binance]\nUSDT = 5\n{other}")
    assert [leg.exchange for leg in made.legs] == ["upbit", "binance"]
