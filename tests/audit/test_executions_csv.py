"""Executions read from a file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fsm_arb.audit.executions import Executed
from fsm_arb.audit.executions_csv import read_executions
from fsm_arb.errors import InvalidInput

HEAD = "exchange,symbol,trade_id,order_id,client_order_id,side,amount,price,fee,fee_currency,time"
LINE = "binance,BTC/USDT,t1,o1,f0001,buy,0.5,100.25,0.0005,BTC,2023-11-15T12:00:00.250Z"
D = Decimal


def file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "fills.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_line_is_an_execution(tmp_path: Path) -> None:
    """Exact, with the line it came from."""
    (one,) = read_executions(file(tmp_path, HEAD, LINE))
    assert one == Executed(
        exchange="binance",
        symbol="BTC/USDT",
        trade_id="t1",
        order_id="o1",
        client_order_id="f0001",
        side="buy",
        amount=D("0.5"),
        price=D("100.25"),
        fee=D("0.0005"),
        fee_currency="BTC",
        at_ms=1_700_049_600_250,
        where=f"{tmp_path / 'fills.csv'}, line 2",
    )


def test_columns_may_stand_in_any_order_among_others(tmp_path: Path) -> None:
    """Exports have many; what is optional may be left out or empty, and the time may be a number."""
    head = "time,note,side,price,amount,order_id,trade_id,symbol, exchange "
    (one,) = read_executions(file(tmp_path, "\ufeff" + head, '1700049600250,"a, b",SELL,1,2,o,t,X/Y,e'))
    assert (one.side, one.at_ms, one.client_order_id, one.fee, one.fee_currency) == (
        "sell",
        1_700_049_600_250,
        "",
        None,
        "",
    )
    (other,) = read_executions(file(tmp_path, HEAD, LINE.replace("0.0005,BTC", ",").replace("f0001", "")))
    assert (other.client_order_id, other.fee) == ("", None)
    (rebate,) = read_executions(file(tmp_path, HEAD, LINE.replace("0.0005", "-0.0005")))
    assert rebate.fee == D("-0.0005")
    (offset,) = read_executions(file(tmp_path, HEAD, LINE.replace("12:00:00.250Z", "21:00:00.250+09:00")))
    assert offset.at_ms == 1_700_049_600_250


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("buy", "b", "line 2: side='b': must be buy or sell"),
        ("0.5", "much", "line 2: amount='much': is not a number"),
        ("0.5", "NaN", "line 2: amount='NaN': must be finite"),
        ("0.5", "0", "line 2: amount='0': must be greater than zero"),
        ("100.25", "-1", "line 2: price='-1': must be greater than zero"),
        ("0.0005,BTC", "x,BTC", "line 2: fee='x': is not a number"),
        ("0.0005,BTC", "0.0005,", "line 2: fee_currency='': must be given with a fee"),
        ("o1", "", "line 2: order_id='': must not be empty"),
        ("t1", " ", "line 2: trade_id='': must not be empty"),
        ("2023-11-15T12:00:00.250Z", "yesterday", "line 2: time='yesterday': is neither ISO 8601"),
        ("2023-11-15T12:00:00.250Z", "2023-11-15T12:00:00", "does not say in which zone"),
        ("2023-11-15T12:00:00.250Z", "1700049600250,more", "has more values than the first line has names"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """With its number and the column."""
    with pytest.raises(InvalidInput) as caught:
        list(read_executions(file(tmp_path, HEAD, LINE.replace(old, new))))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (HEAD.replace(",price", ""), "lacks the column price; the first line names: exchange, symbol"),
        ("", "lacks the column exchange, symbol"),
        (HEAD + ",side", "names side twice"),
        (HEAD.replace(",fee_currency", ""), "names only one of fee and fee_currency"),
    ],
)
def test_a_first_line_that_cannot_be_is_refused(tmp_path: Path, head: str, said: str) -> None:
    """Before any other is read."""
    with pytest.raises(InvalidInput) as caught:
        list(read_executions(file(tmp_path, head, LINE)))
    assert said in str(caught.value)
    assert "line 1" in str(caught.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """Bytes that are no text, and quotes that never end."""
    path = tmp_path / "fills.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="is no CSV file in UTF-8"):
        list(read_executions(path))
    with pytest.raises(InvalidInput, match="is no CSV file in UTF-8"):
        list(read_executions(file(tmp_path, HEAD, f'"{LINE}')))
