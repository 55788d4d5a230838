"""What a demonstration trades, drawn from its seed: the same seed asks for the same trades."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import frozen

from fsm_arb.decision import CrossExchangeDecision
from fsm_arb.values import Action, Leg, Money, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.position import CrossExchangePosition
    from fsm_arb.values import OrderBook

EXIT_EVERY = 4  # every fourth trade is an exit, so a third of the positions opened are closed again


@frozen(kw_only=True)
class Setting:
    """Where a demonstration trades."""

    venues: tuple[str, str]  # ccxt's ids; also the names that legs use
    symbols: Mapping[str, tuple[str, str]]  # by base asset: one symbol a venue
    quote: str  # of the first venue
    notional: tuple[int, int]  # in that quote: least and most
    step: int  # notionals are whole multiples of this
    rates: Mapping[str, str]  # where the quotes differ

    def legs(self, base: str) -> tuple[Leg, Leg]:
        """Return the two markets of *base*."""
        first, second = self.symbols[base]
        return Leg(self.venues[0], first), Leg(self.venues[1], second)


# A Korean exchange in won against Binance's spot in USDT.
KOREA = Setting(
    venues=("upbit", "binance"),
    symbols={base: (f"{base}/KRW", f"{base}/USDT") for base in ("BTC", "ETH", "XRP")},
    quote="KRW",
    notional=(300_000, 3_000_000),
    step=10_000,
    rates={"USDT/KRW": "1400"},
)
# Binance's spot against its own perpetual, on recorded books. The perpetual trades in lots of 0.001 BTC.
RECORDED = Setting(
    venues=("binance", "binanceusdm"),
    symbols={"BTC": ("BTC/USDT", "BTC/USDT:USDT")},
    quote="USDT",
    notional=(250, 2_500),
    step=10,
    rates={},
)


@frozen(kw_only=True)
class Slot:
    """One trade that is to be made. An exit falls back on the entry drawn here while no position is open."""

    index: int
    decision_id: str
    base: str
    action: Action
    notional: Money
    exits: bool


def course(seed: int, trades: int, setting: Setting) -> tuple[Slot, ...]:
    """Return the trades of a demonstration. A longer one begins like a shorter one."""
    return tuple(_slot(seed, index, setting) for index in range(trades))


def _slot(seed: int, index: int, setting: Setting) -> Slot:
    draw = random.Random(f"{seed}/{index}")  # noqa: S311 - repeatable is the point
    least, most = (bound // setting.step for bound in setting.notional)
    return Slot(
        index=index,
        decision_id=f"demo-{seed}-{index:04d}",
        base=draw.choice(sorted(setting.symbols)),
        action=draw.choice((Action.ENTRY_POSITIVE, Action.ENTRY_NEGATIVE)),
        notional=Money(Decimal(draw.randint(least, most) * setting.step), setting.quote),
        exits=index % EXIT_EVERY == EXIT_EVERY - 1,
    )


def entry(slot: Slot, legs: tuple[Leg, Leg], books: tuple[OrderBook, OrderBook]) -> CrossExchangeDecision:
    """Return the decision to enter, on *books* as they stand now."""
    first = Side.SELL if slot.action is Action.ENTRY_POSITIVE else Side.BUY
    return CrossExchangeDecision(
        decision_id=slot.decision_id,
        action=slot.action,
        legs=legs,
        notional=slot.notional,
        prices=_touches(books, (first, first.opposite)),
        books=books,
        reason="demonstration",
    )


def leave(slot: Slot, position: CrossExchangePosition, books: tuple[OrderBook, OrderBook]) -> CrossExchangeDecision:
    """Return the decision to exit *position*, on *books* as they stand now."""
    first, second = position.sides
    return CrossExchangeDecision(
        decision_id=slot.decision_id,
        action=Action.EXIT_TP,
        legs=position.legs,
        prices=_touches(books, (first.opposite, second.opposite)),
        position_id=position.position_id,
        reason="demonstration",
    )


def _touches(books: tuple[OrderBook, OrderBook], sides: tuple[Side, Side]) -> tuple[Decimal, Decimal]:
    first, second = (book.touch(side) for book, side in zip(books, sides, strict=True))
    if first is None or second is None:
        raise LookupError("a book has an empty side")
    return first, second
