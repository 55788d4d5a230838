"""What each table holds. The page docs/export.md says the same, and a test compares them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

Value = str | int | bool | Decimal | None
Row = Mapping[str, Value]


class Kind(enum.Enum):
    """What a column's values are."""

    TEXT = "text"
    DECIMAL = "decimal"  # a `Decimal`; written as text in every format, since few readers have an exact type
    TIME = "time"  # nanoseconds since the epoch, UTC
    INTEGER = "integer"
    FLAG = "flag"


@frozen
class Column:
    """One column."""

    name: str
    kind: Kind
    meaning: str


@frozen
class Table:
    """One table.

    Attributes:
        name: What it is asked for by.
        of: What one row is.
        moment: The column that a stretch of time is asked of.
        columns: In order.
    """

    name: str
    of: str
    moment: str
    columns: tuple[Column, ...]


def _table(name: str, of: str, moment: str, *columns: tuple[str, Kind, str]) -> Table:
    return Table(name, of, moment, tuple(Column(*each) for each in columns))


_TEXT, _DECIMAL, _TIME, _INTEGER, _FLAG = Kind

FILLS = _table(
    "fills",
    "One execution, or one change of what is known of an order's executions between two readings of it.",
    "at",
    ("at", _TIME, "When the record was written that first tells of it."),
    ("executed_at", _TIME, "When it was executed, by the venue's clock; empty where the venue told no execution."),
    ("exchange", _TEXT, "The key in the executor's `venues`."),
    ("symbol", _TEXT, "The unified symbol."),
    ("trade_id", _TEXT, "The trade."),
    ("client_order_id", _TEXT, "Our id of the order; empty for an operator's own trade."),
    ("venue_order_id", _TEXT, "The venue's id of the order; empty where it told none."),
    ("venue_trade_id", _TEXT, "The venue's id of the execution; empty where only totals are known."),
    ("side", _TEXT, "`buy` or `sell`."),
    ("purpose", _TEXT, "`first`, `complete`, `unwind`; `operator` for a trade by hand."),
    ("kind", _TEXT, "`fill`, `bust` (taken back), `judged` (by an operator), `external` (by hand), `correction`."),
    ("amount", _DECIMAL, "Base; negative: taken back; zero: a correction of price or fee."),
    ("price", _DECIMAL, "Quote per base; empty where it is unknown or is no exact number."),
    ("price_from", _TEXT, "`execution`, `average` (the order's) or `difference` (of two averages); empty: no price."),
    ("cost", _DECIMAL, "Quote: what was paid or received; empty where unknown so far, a `correction` follows."),
    ("fee", _DECIMAL, "What was charged more than was known before; negative: less, or a rebate."),
    ("fee_currency", _TEXT, "The asset of the fee."),
    ("seq", _INTEGER, "The record's place on the journal."),
)

ORDERS = _table(
    "orders",
    "One order, with all that the journal knows of it.",
    "intended_at",
    ("intended_at", _TIME, "When it was written down, before it was sent."),
    ("sent_at", _TIME, "When it left for the venue; empty: nothing reached the wire, or it is not known."),
    ("answered_at", _TIME, "When the reply to it came; empty: none came."),
    ("ended_at", _TIME, "When it was known that it cannot execute any more; empty: it may."),
    ("trade_id", _TEXT, "The trade."),
    ("number", _INTEGER, "Within the trade, from 0."),
    ("exchange", _TEXT, "The key in the executor's `venues`."),
    ("symbol", _TEXT, "The unified symbol."),
    ("client_order_id", _TEXT, "Our id."),
    ("venue_order_id", _TEXT, "The venue's id; empty where it told none."),
    ("side", _TEXT, "`buy` or `sell`."),
    ("purpose", _TEXT, "`first`, `complete` or `unwind`."),
    ("order_type", _TEXT, "`ioc`, `limit` or `market`."),
    ("reduce_only", _FLAG, "Whether it may only make a derivative's position smaller."),
    ("amount", _DECIMAL, "Base, as ordered."),
    ("bound", _DECIMAL, "Quote per base: the worst price that was accepted."),
    ("filled", _DECIMAL, "Base, executed and not taken back."),
    ("busted", _DECIMAL, "Base, taken back by the venue."),
    ("average", _DECIMAL, "Quote per base over all that is filled; empty: nothing filled, or unknown."),
    ("cost", _DECIMAL, "Quote: filled at the average."),
    ("fees", _TEXT, "What it cost, by asset: `0.1 USDT; 0.002 BNB`."),
    ("fees_told", _FLAG, "Whether the fees cover all that is filled."),
    ("status", _TEXT, "`pending`, `open`, `closed` or `dead`."),
    ("in_doubt", _FLAG, "Whether nobody knows what it did or may do."),
    ("error", _TEXT, "Why it was refused, or is believed absent; empty: it was neither."),
)

TRADES = _table(
    "trades",
    "One trade. Money is in the quote currency of its first leg, at the rate that it was sized at.",
    "began_at",
    ("began_at", _TIME, "When its decision was taken up."),
    ("ended_at", _TIME, "When it was DONE, the last time; empty: it is not."),
    ("trade_id", _TEXT, "The id of its decision."),
    ("position_id", _TEXT, "The position that an exit closes; empty for an entry."),
    ("action", _TEXT, "`entry_positive`, `exit_tp`, ..."),
    ("reason", _TEXT, "The decision's own words."),
    ("status", _TEXT, "How it ended, or `halted` while it has not."),
    ("state", _TEXT, "The machine's state."),
    ("ever_halted", _FLAG, "Whether automation met a wall at any time."),
    ("exchange_1", _TEXT, "The first leg's venue."),
    ("symbol_1", _TEXT, "The first leg's symbol."),
    ("side_1", _TEXT, "What the first leg does: `buy` or `sell`."),
    ("exchange_2", _TEXT, "The second leg's venue."),
    ("symbol_2", _TEXT, "The second leg's symbol."),
    ("side_2", _TEXT, "What the second leg does."),
    ("quantity", _DECIMAL, "Base that was matched."),
    ("exposure", _DECIMAL, "Base that is naked, + for long; within dust where it has ended."),
    ("dust", _DECIMAL, "Base, below which neither venue takes an order; empty where it was never sized."),
    ("currency", _TEXT, "Of the money columns."),
    ("gross", _DECIMAL, "Sells less buys, the rest valued at the decision's price; empty: unknown."),
    ("fees", _DECIMAL, "What was charged, a fee in base at the decision's price, one in a third asset left out."),
    ("net", _DECIMAL, "Gross less fees; empty: a price or fee is unknown."),
    ("slippage", _DECIMAL, "What the fills were worse than the decision's prices; negative: better."),
    ("orders", _INTEGER, "How many were written down."),
    ("naked_seconds", _DECIMAL, "How long one side stood without the other, beyond dust, up to its last record."),
    ("worst_exposure", _DECIMAL, "Base; the most that was naked for any time."),
    ("path", _TEXT, "The states it went through, the first included: `PRECHECK SIZING ...`."),
    ("note", _TEXT, "Why, in words."),
)

POSITIONS = _table(
    "positions",
    "One position, as it stands by its last record. Money is in the quote currency of its first leg.",
    "opened_at",
    ("opened_at", _TIME, "When it was opened."),
    ("closed_at", _TIME, "When it was closed, the last time; empty: it is not."),
    ("position_id", _TEXT, "Its name."),
    ("state", _TEXT, "`OPEN`, `CLOSING` or `CLOSED`."),
    ("exchange_1", _TEXT, "The first leg's venue."),
    ("symbol_1", _TEXT, "The first leg's symbol."),
    ("side_1", _TEXT, "Which way the first leg is held: `buy` for long."),
    ("exchange_2", _TEXT, "The second leg's venue."),
    ("symbol_2", _TEXT, "The second leg's symbol."),
    ("side_2", _TEXT, "Which way the second leg is held."),
    ("reversed", _FLAG, "Whether exits took more than was entered."),
    ("entry_trade_id", _TEXT, "The trade that opened it."),
    ("entry_quantity", _DECIMAL, "Base it was opened with, amendments included."),
    ("entry_price_1", _DECIMAL, "The entry's average on the first leg; empty: unknown."),
    ("entry_price_2", _DECIMAL, "The entry's average on the second leg; empty: unknown."),
    ("quantity", _DECIMAL, "Base that is still hedged."),
    ("exit_trade_ids", _TEXT, "The exits that took something off it, in order: `a; b`."),
    ("exiting_trade_id", _TEXT, "The exit that is at work; empty: none is."),
    ("fx", _DECIMAL, "What one unit of the second quote currency was worth in the first at entry."),
    ("currency", _TEXT, "Of the realised PnL."),
    ("realised_pnl", _DECIMAL, "Entry and exits together; empty: one is unknown."),
)

TABLES: Mapping[str, Table] = {table.name: table for table in (FILLS, ORDERS, TRADES, POSITIONS)}
