"""What an account owns: assets on a spot venue, margin and positions on a derivatives venue."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Protocol

from attrs import define

from fsm_arb.matching.market import FeeRule
from fsm_arb.matching.orders import Kind, OrderRefused, Refusal
from fsm_arb.values import ONE, ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsm_arb.matching.market import Market
    from fsm_arb.matching.orders import Execution, Order

SATOSHI = Decimal("0.00000001")  # what Binance cuts fees and realised profit to
BNB_DISCOUNT = Decimal("0.75")


@define
class Balance:
    """One asset."""

    free: Decimal = ZERO
    used: Decimal = ZERO


@define
class Position:
    """One contract, one-way mode."""

    amount: Decimal = ZERO  # base, + for long
    entry: Decimal = ZERO  # quote per base


class Account(Protocol):
    """What the exchange needs of an account."""

    def hold(self, order: Order, market: Market, estimate: Decimal) -> None:
        """Keep back what *order* may cost; *estimate* is the quote it takes at once if it has no limit."""

    def settle(self, order: Order, market: Market, amount: Decimal, price: Decimal, *, maker: bool) -> Settlement:
        """Book one trade and return its fee."""

    def rehold(self, order: Order, market: Market) -> None:
        """Let go of what *order* no longer needs."""

    def undo(self, execution: Execution, market: Market) -> None:
        """Take one trade back (a bust)."""

    def balances(self) -> dict[str, Balance]:
        """Return every asset."""

    def put(self, asset: str, free: Decimal) -> None:
        """Set what is free of *asset*."""


@define
class Settlement:
    """What one trade cost beside its price."""

    fee: Decimal
    fee_asset: str
    realised: Decimal = ZERO


class SpotAccount:
    """Assets change hands; a buy holds quote, a sell holds base."""

    def __init__(self, balances: Mapping[str, Decimal], fee_rule: FeeRule, bnb_price: Decimal = Decimal(600)) -> None:
        self._balances = {asset: Balance(free=Decimal(amount)) for asset, amount in balances.items()}
        self.fee_rule = fee_rule
        self.bnb_price = bnb_price  # quote per BNB

    def balances(self) -> dict[str, Balance]:
        """Return every asset."""
        return self._balances

    def put(self, asset: str, free: Decimal) -> None:
        """Set what is free of *asset*."""
        self._of(asset).free = free

    def _of(self, asset: str) -> Balance:
        return self._balances.setdefault(asset, Balance())

    def _quote_factor(self, market: Market) -> Decimal:
        return ONE + max(market.taker_fee, market.maker_fee) if self.fee_rule is FeeRule.QUOTE else ONE

    def hold(self, order: Order, market: Market, estimate: Decimal) -> None:
        """Keep back quote for a buy, base for a sell.

        Raises:
            OrderRefused: Not enough is free.
        """
        new = order.new
        if new.side is Side.SELL:
            asset, need = market.base, order.amount
        elif new.kind is Kind.LIMIT and new.price is not None:
            asset, need = market.quote, order.amount * new.price * self._quote_factor(market)
        else:
            spend = new.cost if new.cost is not None else estimate
            asset, need = market.quote, spend * self._quote_factor(market)
        balance = self._of(asset)
        if need > balance.free:
            raise OrderRefused(Refusal.FUNDS)
        balance.free -= need
        balance.used += need
        order.held = need

    def _fee(self, market: Market, side: Side, amount: Decimal, cost: Decimal, *, maker: bool) -> Settlement:
        rate = market.maker_fee if maker else market.taker_fee
        if self.fee_rule is FeeRule.QUOTE:
            return Settlement(cost * rate, market.quote)
        if self.fee_rule is FeeRule.BNB:
            fee = (cost * rate * BNB_DISCOUNT / self.bnb_price).quantize(SATOSHI, ROUND_DOWN)
            if self._of("BNB").free >= fee:
                return Settlement(fee, "BNB")
        if side is Side.BUY:
            return Settlement((amount * rate).quantize(SATOSHI, ROUND_DOWN), market.base)
        return Settlement((cost * rate).quantize(SATOSHI, ROUND_DOWN), market.quote)

    def _pay(self, order: Order, asset: str, amount: Decimal) -> None:
        balance = self._of(asset)
        from_held = min(order.held, amount)
        order.held -= from_held
        balance.used -= from_held
        balance.free -= amount - from_held

    def settle(self, order: Order, market: Market, amount: Decimal, price: Decimal, *, maker: bool) -> Settlement:
        """Book one trade and return its fee."""
        side, cost = order.new.side, amount * price
        settlement = self._fee(market, side, amount, cost, maker=maker)
        if side is Side.BUY:
            quote_fee = settlement.fee if settlement.fee_asset == market.quote else ZERO
            self._pay(order, market.quote, cost + quote_fee)
            self._of(market.base).free += amount
            if settlement.fee_asset != market.quote:
                self._of(settlement.fee_asset).free -= settlement.fee
        else:
            self._pay(order, market.base, amount)
            self._of(market.quote).free += cost
            self._of(settlement.fee_asset).free -= settlement.fee
        return settlement

    def rehold(self, order: Order, market: Market) -> None:
        """Let go of what *order* no longer needs."""
        new = order.new
        asset = market.base if new.side is Side.SELL else market.quote
        need = ZERO
        if order.is_open:
            need = order.remaining
            if new.side is Side.BUY and new.price is not None:
                need = order.remaining * new.price * self._quote_factor(market)
        balance = self._of(asset)
        freed = order.held - need
        order.held = need
        balance.used -= freed
        balance.free += freed

    def undo(self, execution: Execution, market: Market) -> None:
        """Take one trade back, its fee included."""
        sign = execution.side.sign
        self._of(market.base).free -= sign * execution.amount
        self._of(market.quote).free += sign * execution.cost
        self._of(execution.fee_asset).free += execution.fee


class MarginAccount:
    """One margin asset, contracts in one-way mode, cross margin."""

    def __init__(self, balances: Mapping[str, Decimal], leverage: Decimal = Decimal(20), asset: str = "USDT") -> None:
        self.asset = asset
        self.wallet: dict[str, Decimal] = {asset: Decimal(amount) for asset, amount in balances.items()}
        self.positions: dict[str, Position] = {}
        self.leverages: dict[str, Decimal] = {}
        self.leverage_default = leverage
        self.held: Decimal = ZERO

    def position(self, symbol: str) -> Position:
        """Return the position in *symbol*; an empty one if there is none."""
        return self.positions.setdefault(symbol, Position())

    def leverage(self, symbol: str) -> Decimal:
        """Notional over initial margin."""
        return self.leverages.get(symbol, self.leverage_default)

    def margin(self, symbol: str) -> Decimal:
        """Initial margin of the position in *symbol*, quote, at its entry price."""
        position = self.position(symbol)
        return abs(position.amount) * position.entry / self.leverage(symbol)

    def used(self) -> Decimal:
        """Margin of all positions and open orders, quote."""
        return self.held + sum((self.margin(symbol) for symbol in self.positions), ZERO)

    def balances(self) -> dict[str, Balance]:
        """Return the margin asset: what may still be used, and what is tied up."""
        used = self.used()
        return {
            asset: Balance(free=amount - used, used=used) if asset == self.asset else Balance(free=amount)
            for asset, amount in self.wallet.items()
        }

    def put(self, asset: str, free: Decimal) -> None:
        """Set the wallet so that *free* is available."""
        self.wallet[asset] = free + (self.used() if asset == self.asset else ZERO)

    def closable(self, symbol: str, side: Side) -> Decimal:
        """Base units of the position that an order of *side* would close."""
        amount = self.position(symbol).amount
        return abs(amount) if amount * side.sign < 0 else ZERO

    def hold(self, order: Order, market: Market, estimate: Decimal) -> None:
        """Keep back the margin of what *order* would open.

        Raises:
            OrderRefused: Not enough margin is available.
        """
        new = order.new
        notional = order.amount * new.price if new.price is not None else estimate
        opening = max(ZERO, order.amount - self.closable(new.symbol, new.side))
        if new.reduce_only or not opening:
            order.held = ZERO
            return
        share = opening / order.amount
        need = notional * share / self.leverage(new.symbol)
        fee = notional * market.taker_fee
        if need + fee > self.wallet.get(market.quote, ZERO) - self.used():
            raise OrderRefused(Refusal.FUNDS)
        order.held = need
        self.held += need

    def settle(self, order: Order, market: Market, amount: Decimal, price: Decimal, *, maker: bool) -> Settlement:
        """Book one trade: position, realised profit and fee."""
        rate = market.maker_fee if maker else market.taker_fee
        fee = (amount * price * rate).quantize(SATOSHI, ROUND_DOWN)
        realised = self._move(order.new.symbol, order.new.side, amount, price)
        self.wallet[market.quote] = self.wallet.get(market.quote, ZERO) + realised - fee
        return Settlement(fee, market.quote, realised)

    def _move(self, symbol: str, side: Side, amount: Decimal, price: Decimal) -> Decimal:
        position = self.position(symbol)
        closing = min(amount, self.closable(symbol, side))
        realised = ((position.entry - price) * closing * side.sign).quantize(SATOSHI)
        position.amount += closing * side.sign
        opening = amount - closing
        if opening:
            held = abs(position.amount)
            position.entry = (position.entry * held + price * opening) / (held + opening)
            position.amount += opening * side.sign
        if not position.amount:
            position.entry = ZERO
        return realised

    def rehold(self, order: Order, market: Market) -> None:  # noqa: ARG002 - the protocol's signature
        """Let go of what *order* no longer needs."""
        need = ZERO
        if order.is_open and order.new.price is not None:
            need = min(order.held, order.remaining * order.new.price / self.leverage(order.new.symbol))
        self.held -= order.held - need
        order.held = need

    def undo(self, execution: Execution, market: Market) -> None:
        """Take one trade back, its fee included."""
        realised = self._move(execution.symbol, execution.side.opposite, execution.amount, execution.price)
        self.wallet[market.quote] += execution.fee + realised
