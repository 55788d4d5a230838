"""What was executed: as an exchange lists it, and as a journal has it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.audit.summary import entry_of, no_ids
from fsm_arb.audit.survey import Stretch, gathered, spread, stretches
from fsm_arb.journal.reader import JournalReader
from fsm_arb.memory import Memory
from fsm_arb.scribe import TRADE
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from fsm_arb.orders import Order
    from fsm_arb.ports import Record

NS_PER_MS = 1_000_000


@frozen(kw_only=True)
class Executed:
    """One execution, as an exchange lists it.

    Attributes:
        exchange: The key under which the bot knows it.
        symbol: Unified, such as BTC/USDT.
        trade_id: The exchange's id of the execution.
        order_id: The exchange's id of the order.
        client_order_id: Ours; empty: the list does not tell it.
        side: ``buy`` or ``sell``.
        amount: Base.
        price: Quote per base.
        fee: What was charged, below zero for a rebate; None: the list does not tell it.
        fee_currency: In which currency; empty where there is no fee.
        at_ms: The exchange's clock, UTC.
        where: Where it was read, for messages: a line of a file, or a call.
    """

    exchange: str
    symbol: str
    trade_id: str
    order_id: str
    client_order_id: str = ""
    side: str
    amount: Decimal
    price: Decimal
    fee: Decimal | None = None
    fee_currency: str = ""
    at_ms: int
    where: str = ""


@frozen(kw_only=True)
class Ours:
    """One order of the journal. Small: it travels between processes.

    Attributes:
        exchange: The key under which the bot knows it.
        symbol: Unified.
        trade_id: The journal's trade.
        client_order_id: Ours; empty: it is an operator's own trade.
        order_id: The venue's; empty: it has told none.
        side: ``buy`` or ``sell``.
        amount: Base, as it was ordered.
        filled: Base.
        average: Quote per base; None: unknown, or nothing filled.
        fees: What was charged, by currency; None: not known.
        ids: The venue's ids of its executions, where all of them are known.
        began_ms: Wall clock UTC, not after it was sent.
        ended_ms: Wall clock UTC, not before it executed for the last time, as far as is known.
        live: Whether it may still execute.
    """

    exchange: str
    symbol: str
    trade_id: str
    client_order_id: str
    order_id: str
    side: str
    amount: Decimal
    filled: Decimal
    average: Decimal | None
    fees: tuple[tuple[str, Decimal], ...] | None
    ids: tuple[str, ...]
    began_ms: int
    ended_ms: int
    live: bool = False


# ------------------------------------------------------------------ the journal's side


class _Gathering:
    """The orders of one trade: when each was intended, and when it was last known to execute."""

    def __init__(self, record: Record) -> None:
        self.memory = Memory.fold(record.stream.removeprefix(TRADE), [entry_of(record)], no_ids)
        self.times: list[tuple[int, int]] = []
        self.last_ns = record.at_ns

    def take(self, record: Record) -> None:
        """Take in the next record."""
        before = self.memory.orders
        self.memory.remember(entry_of(record))
        self.last_ns = max(self.last_ns, record.at_ns)
        if self.memory.orders is before:
            return
        for index, order in enumerate(self.memory.orders):
            if index == len(self.times):
                self.times.append((record.at_ns, record.at_ns))
            elif order.live or order.filled != before[index].filled or before[index].live:
                self.times[index] = self.times[index][0], max(self.times[index][1], record.at_ns)

    def orders(self) -> Iterator[Ours]:
        """Yield what each order came to, then what an operator traded by hand."""
        for order, (began, ended) in zip(self.memory.orders, self.times, strict=True):
            leg = self.memory.decision.legs[order.intent.leg]
            yield Ours(
                exchange=leg.exchange,
                symbol=leg.symbol,
                trade_id=self.memory.trade_id,
                client_order_id=order.intent.client_order_id,
                order_id=order.venue_order_id or "",
                side=order.intent.side.value,
                amount=order.intent.amount,
                filled=order.filled,
                average=order.average,
                fees=tuple((fee.currency, fee.amount) for fee in order.fees) if order.fees_told else None,
                ids=_ids(order),
                began_ms=began // NS_PER_MS,
                ended_ms=ended // NS_PER_MS,
                live=order.live,
            )
        for fill in self.memory.ledger.external if self.memory.ledger else ():
            leg = self.memory.decision.legs[fill.leg]
            yield Ours(
                exchange=leg.exchange,
                symbol=leg.symbol,
                trade_id=self.memory.trade_id,
                client_order_id="",
                order_id="",
                side=fill.side.value,
                amount=fill.amount,
                filled=fill.amount,
                average=fill.price,
                fees=None,
                ids=(),
                began_ms=self.memory.begun_at_ns // NS_PER_MS,
                ended_ms=self.last_ns // NS_PER_MS,
            )


def _ids(order: Order) -> tuple[str, ...]:
    whole = order.fills and sum((fill.amount for fill in order.fills), ZERO) == order.filled
    return tuple(fill.fill_id for fill in order.fills) if whole else ()


def executed(path: str | os.PathLike[str], *, jobs: int = 1) -> Iterator[Ours]:
    """Yield every order of a journal, by trade, oldest first, in bounded memory.

    Raises:
        JournalError: A record is wrong or cannot be read.
        MachineError: A trade's records contradict the table.
    """
    with JournalReader(path) as reader:
        head, _ = reader.last()
    for some in spread(_executed, stretches(path, head), jobs):
        yield from some


def _executed(stretch: Stretch) -> list[Ours]:
    with JournalReader(stretch.path) as reader:
        trades = gathered(reader, stretch, TRADE, _Gathering, lambda _: None)
        return [order for trade in trades for order in trade.orders()]
