"""What the demonstration's exchange has executed, as it would export it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

COLUMNS = (
    "exchange",
    "symbol",
    "trade_id",
    "order_id",
    "client_order_id",
    "side",
    "amount",
    "price",
    "fee",
    "fee_currency",
    "time",
)


def exported(folder: Path) -> list[dict[str, str]]:
    """Return one line an execution, oldest first, from the exchange's own books beside the journal."""
    lines = []
    for name, venue in json.loads((folder / "books.json").read_text())["venues"].items():
        for fill in venue["fills"]:
            values = (
                name,
                fill["symbol"],
                fill["trade_uuid"] if name == "upbit" else str(fill["trade_id"]),
                fill["order_id"],
                fill["client_id"] or "",
                fill["side"],
                fill["amount"],
                fill["price"],
                fill["fee"],
                fill["fee_asset"],
                str(fill["at_ms"]),
            )
            lines.append(dict(zip(COLUMNS, values, strict=True)))
    return sorted(lines, key=lambda line: int(line["time"]))


def write_csv(path: Path, lines: list[dict[str, str]]) -> Path:
    """Write them to a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    return path
