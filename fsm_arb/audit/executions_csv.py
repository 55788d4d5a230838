"""Read executions from a file: one line each, as an exchange's own export tells them once its columns are renamed."""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING

from fsm_arb.audit.executions import Executed
from fsm_arb.errors import InvalidInput
from fsm_arb.values import ZERO, to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path

REQUIRED = ("exchange", "symbol", "trade_id", "order_id", "side", "amount", "price", "time")
OPTIONAL = ("client_order_id", "fee", "fee_currency")


def read_executions(path: Path) -> Iterator[Executed]:
    """Yield the executions of a CSV file, in its order.

    Raises:
        InvalidInput: The file or a line of it cannot be read as what it should be; names the line.
        OSError: The file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            lines = csv.DictReader(file, strict=True)
            columns = [name.strip() for name in lines.fieldnames or ()]
            _check_columns(path, columns)
            lines.fieldnames = columns
            for line in lines:
                yield _executed(f"{path}, line {lines.line_num}", line, columns)
        except (csv.Error, UnicodeDecodeError) as error:
            raise InvalidInput(str(path), path.name, f"is no CSV file in UTF-8: {error}") from error


def _check_columns(path: Path, columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        known = ", ".join((*REQUIRED, *(f"{name} (optional)" for name in OPTIONAL)))
        reason = f"lacks the column {', '.join(missing)}; the first line names: {known}"
        raise InvalidInput(f"{path}, line 1", ",".join(columns), reason)
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise InvalidInput(f"{path}, line 1", ",".join(columns), f"names {', '.join(twice)} twice")
    if ("fee" in columns) is not ("fee_currency" in columns):
        raise InvalidInput(f"{path}, line 1", ",".join(columns), "names only one of fee and fee_currency")


def _executed(where: str, line: Mapping[str, str | None], columns: list[str]) -> Executed:
    if None in line:
        raise InvalidInput(where, len(columns), "has more values than the first line has names")
    told = {name: (line.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)}
    for name in ("exchange", "symbol", "order_id", "trade_id"):
        if not told[name]:
            raise InvalidInput(f"{where}: {name}", "", "must not be empty")
    side = told["side"].lower()
    if side not in {"buy", "sell"}:
        raise InvalidInput(f"{where}: side", told["side"], "must be buy or sell")
    fee, currency = told["fee"], told["fee_currency"]
    if fee and not currency and to_decimal(fee, f"{where}: fee"):
        raise InvalidInput(f"{where}: fee_currency", "", "must be given with a fee")
    return Executed(
        exchange=told["exchange"],
        symbol=told["symbol"],
        trade_id=told["trade_id"],
        order_id=told["order_id"],
        client_order_id=told["client_order_id"],
        side=side,
        amount=_positive(where, "amount", told["amount"]),
        price=_positive(where, "price", told["price"]),
        fee=to_decimal(fee, f"{where}: fee") if fee else None,
        fee_currency=currency,
        at_ms=_time(where, told["time"]),
        where=where,
    )


def _positive(where: str, name: str, text: str) -> Decimal:
    value = to_decimal(text, f"{where}: {name}")
    if value <= ZERO:
        raise InvalidInput(f"{where}: {name}", text, "must be greater than zero")
    return value


def _time(where: str, text: str) -> int:
    """Return ms since the epoch, UTC."""
    if text.isdecimal():
        return int(text)
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{where}: time", text, "is neither ISO 8601 nor whole milliseconds since 1970") from None
    if at.tzinfo is None:
        raise InvalidInput(f"{where}: time", text, "does not say in which zone; end it with Z for UTC")
    return round((at - dt.datetime.fromtimestamp(0, dt.UTC)) / dt.timedelta(milliseconds=1))
