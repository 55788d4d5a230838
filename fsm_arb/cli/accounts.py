"""Accounts on exchanges as a command line names them; their keys come from the environment and are never shown."""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from fsm_arb.audit.live import compare_live
from fsm_arb.errors import InvalidInput
from fsm_arb.venues.connecting import connect
from fsm_arb.venues.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fsm_arb.audit.reconciling import Comparison

NS_PER_MS = 1_000_000
REQUIRED, OPTIONAL = ("API_KEY", "SECRET"), ("PASSWORD", "UID")
CREDENTIALS = {"API_KEY": "apiKey", "SECRET": "secret", "PASSWORD": "password", "UID": "uid"}


@frozen
class Account:
    """One account: the key under which the bot knows it, and ccxt's name of the exchange."""

    name: str
    ccxt_id: str


def account(text: str) -> Account:
    """Return the account that ``NAME=CCXT_ID`` names, such as ``binance=binanceusdm``.

    Raises:
        click.BadParameter: It is not of this form.
    """
    name, equals, ccxt_id = text.partition("=")
    if not (name and equals and re.fullmatch(r"\w+", ccxt_id)):
        raise click.BadParameter(f"{text!r} is not NAME=CCXT_ID, such as binance=binanceusdm")
    return Account(name, ccxt_id)


def keys(of: Account) -> dict[str, str]:
    """Return the credentials of an account as ccxt calls them, from environment variables.

    Raises:
        InvalidInput: A variable is not set; names it.
    """
    prefix = f"FSM_ARB_{re.sub(r'[^A-Z0-9]', '_', of.name.upper())}_"
    found = {word: os.environ.get(prefix + word, "") for word in (*REQUIRED, *OPTIONAL)}
    for word in REQUIRED:
        if not found[word]:
            raise InvalidInput(prefix + word, "", f"is not set; --exchange {of.name}=… needs it")
    return {CREDENTIALS[word]: value for word, value in found.items() if value}


def compare_accounts(journal: Path, accounts: Sequence[Account], jobs: int) -> Comparison:
    """Return how *journal* and the exchanges differ.

    Raises:
        InvalidInput: Keys are not there, or ccxt knows no such exchange.
        JournalError: The journal cannot be read.
        VenueUnanswered: An exchange gave no usable answer.
    """
    given = [(each, keys(each)) for each in accounts]
    return asyncio.run(_compared(journal, given, jobs))


async def _compared(journal: Path, given: Sequence[tuple[Account, dict[str, str]]], jobs: int) -> Comparison:
    exchanges: list[Any] = []
    try:
        histories = {}
        for each, credentials in given:
            exchanges.append(connect(each.ccxt_id, credentials))
            histories[each.name] = History(exchanges[-1], name=each.name)
        return await compare_live(journal, histories, now_ms=time.time_ns() // NS_PER_MS, jobs=jobs)
    finally:
        for exchange in exchanges:
            await exchange.close()
