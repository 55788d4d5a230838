"""Accounts of a command line: their names, and keys that are never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result
from forging import forged

from fsm_arb.cli.accounts import Account, account, keys
from fsm_arb.errors import InvalidInput

SECRET = "planted-secret-of-nobody"  # noqa: S105 - a planted one


def test_an_account_has_a_name_and_an_exchange() -> None:
    """The bot's key for it, and ccxt's name."""
    assert account("binance=binanceusdm") == Account("binance", "binanceusdm")
    for text in ("binance", "=binance", "binance=", "a=b c"):
        with pytest.raises(click.BadParameter, match="is not NAME=CCXT_ID"):
            account(text)


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ccxt calls them; what is optional may be missing."""
    monkeypatch.setenv("FSM_ARB_MY_VENUE_API_KEY", "k")
    monkeypatch.setenv("FSM_ARB_MY_VENUE_SECRET", SECRET)
    assert keys(Account("my-venue", "okx")) == {"apiKey": "k", "secret": SECRET}
    monkeypatch.setenv("FSM_ARB_MY_VENUE_PASSWORD", "p")
    assert keys(Account("my-venue", "okx"))["password"] == "p"  # noqa: S105


def test_a_key_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its variable; no other value is told."""
    monkeypatch.setenv("FSM_ARB_BINANCE_API_KEY", SECRET)
    monkeypatch.delenv("FSM_ARB_BINANCE_SECRET", raising=False)
    with pytest.raises(InvalidInput, match=r"FSM_ARB_BINANCE_SECRET=''.*is not set") as caught:
        keys(Account("binance", "binance"))
    assert SECRET not in str(caught.value)


class Account0:
    """An exchange that lists nothing, and remembers what it was given."""

    id, has, options = "quiet", {"fetchMyTrades": True}, {}
    given: dict[str, Any] = {}  # noqa: RUF012 - shared on purpose
    closed = 0

    def __init__(self, config: dict[str, Any]) -> None:
        Account0.given = config

    async def load_markets(self) -> dict[str, Any]:
        return {}

    create_order = cancel_order = fetch_balance = fetch_open_orders = fetch_order = load_markets

    def market(self, symbol: str) -> dict[str, Any]:
        return {"symbol": symbol, "spot": True}

    async def fetch_my_trades(self, *_: Any) -> list[Any]:
        return []

    async def close(self) -> None:
        Account0.closed += 1


def test_a_journal_is_compared_with_an_exchange(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its keys, which appear nowhere; the exchange is closed; what it does not list is missing there."""
    monkeypatch.setattr("fsm_arb.cli.accounts.connect", lambda _, config: Account0(config))
    monkeypatch.setattr("fsm_arb.venues.history.DAY_MS", 1 << 62)
    monkeypatch.setenv("FSM_ARB_ALPHA_API_KEY", "planted-key-of-nobody")
    monkeypatch.setenv("FSM_ARB_ALPHA_SECRET", SECRET)
    done = run("audit", forged(tmp_path / "trades.db"), "--exchange", "alpha=quiet")
    assert done.exit_code == 1
    assert done.output.count("Exchange, missing from the exchange: alpha BTC/USDT: order") == 2
    assert (Account0.given, Account0.closed) == ({"apiKey": "planted-key-of-nobody", "secret": SECRET}, 1)
    assert "planted" not in done.output


def test_an_exchange_without_keys_could_not_be_asked(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2, before anything is connected."""
    monkeypatch.delenv("FSM_ARB_ALPHA_API_KEY", raising=False)
    done = run("audit", forged(tmp_path / "trades.db"), "--exchange", "alpha=binance")
    assert done.exit_code == 2
    assert "FSM_ARB_ALPHA_API_KEY" in done.output
