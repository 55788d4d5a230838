"""What venues accept for an instrument: lots, ticks, minimums and fees, coarse and fine, alone and in pairs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from fsm_arb.testing.strategies.amounts import decimals
from fsm_arb.values import ONE, ZERO, FeeIn, Leg, MarketRules, TickBand

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

LEGS = (Leg("alpha", "BTC/USD"), Leg("beta", "BTC/USDT"))
PRICE = Decimal(100)  # quote per base, unless another is given
CONTRACT_SIZE = Decimal("0.01")

# Coarse ones first: their numbers are the easier to read in a failure. One is no power of ten.
_LOTS = tuple(map(Decimal, ("0.01", "0.1", "0.001", "0.00001", "0.00000001", "0.003")))
_LEAST_LOTS = (1, 10, 7, 1000)  # a market's least amount, in lots
_ZERO_OR = st.just(ZERO)


def market_rules(
    symbol: str = "BTC/USD",
    *,
    price: Decimal = PRICE,
    lots: SearchStrategy[Decimal] | None = None,
    fee_in: SearchStrategy[FeeIn] | None = None,
) -> SearchStrategy[MarketRules]:
    """Draw what a venue accepts for *symbol*.

    Args:
        symbol: Unified; a contract where it names what it settles in (``BTC/USDT:USDT``).
        price: Quote per base, about; sizes the price step and the least notional.
        lots: Base; None: from a hundred-millionth to a tenth.
        fee_in: None: quote, or base on buys; never on contracts.
    """
    return st.builds(
        _rules,
        symbol=st.just(symbol),
        lot=lots if lots is not None else st.sampled_from(_LOTS),
        tick=st.sampled_from((price / 10_000, price / 1000, price / 10_000_000)),
        least_lots=st.sampled_from(_LEAST_LOTS),
        notional_min=_ZERO_OR | st.sampled_from((price / 10, price)),
        taker_fee=_ZERO_OR | decimals(ZERO, Decimal("0.003"), Decimal("0.0001")),
        fee_in=fee_in if fee_in is not None else st.sampled_from((FeeIn.QUOTE, FeeIn.BASE_ON_BUY)),
        leverage=st.sampled_from((ONE, Decimal(5))),
        enforces_expiry=st.booleans(),
    )


def _rules(
    *,
    symbol: str,
    lot: Decimal,
    tick: Decimal,
    least_lots: int,
    notional_min: Decimal,
    taker_fee: Decimal,
    fee_in: FeeIn,
    leverage: Decimal,
    enforces_expiry: bool,
) -> MarketRules:
    leg = Leg("any", symbol)
    contract = ":" in symbol
    return MarketRules(
        symbol=symbol,
        base=leg.base,
        quote=leg.quote,
        lot=lot,
        ticks=(TickBand(ZERO, tick),),
        amount_min=lot * least_lots,
        notional_min=notional_min,
        taker_fee=taker_fee,
        fee_in=FeeIn.QUOTE if contract else fee_in,
        contract_size=CONTRACT_SIZE if contract else None,
        leverage=leverage if contract else ONE,
        enforces_expiry=enforces_expiry,
    )


def market_pairs(
    legs: tuple[Leg, Leg] = LEGS, *, prices: tuple[Decimal, Decimal] = (PRICE, PRICE)
) -> SearchStrategy[tuple[MarketRules, MarketRules]]:
    """Draw what two venues accept for the two legs of a trade."""
    first, second = (market_rules(leg.symbol, price=price) for leg, price in zip(legs, prices, strict=True))
    return st.tuples(first, second)
