"""What a backtest is run with: the pair, both markets' rules, what is owned, and every number of bot and venue."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import Attribute, field, frozen

from fsm_arb.errors import InvalidInput
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.values import FeeIn, Leg, MarketRules, Money, TickBand, not_negative, positive, to_decimal

Number = Decimal | int | float | str

ZERO = Decimal(0)


def _number(value: Number) -> Decimal:
    return to_decimal(str(value) if isinstance(value, float) else value, "number")


def _whole(_self: object, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidInput(attribute.name, value, "must be a whole number, zero or more")


@frozen(kw_only=True)
class Setup:
    """One backtest, books aside.

    Attributes:
        legs: The pair; the spread is positive where legs[0] is the dear one. PnL is told in its quote currency.
        rules: What each leg's market accepts and charges.
        balances: What each account begins with, by venue and asset.
        notional: How much an entry trades, in either quote currency.
        thresholds: Of the strategy.
        policy: Of the executor.
        limits: Of the risk guard; None: none stands in the way.
        rates: Constant FX rates, such as ``{"USDT/KRW": "1400"}``.
        fx_book: A market among the books that is itself the rate between the two quote currencies, such as
            USDT/KRW on Upbit; instead of *rates*.
        tick_s: Seconds between two looks at the market.
        latency_ms: Of one call to a venue, there and back.
        jitter_ms: Added to that, drawn evenly from zero to this at each call.
        seed: Of that draw, and of all ids.

    Raises:
        InvalidInput: Names the field and the value.
    """

    legs: tuple[Leg, Leg]
    rules: tuple[MarketRules, MarketRules]
    balances: Mapping[str, Mapping[str, Decimal]]
    notional: Money
    thresholds: StrategyThresholds = field(factory=StrategyThresholds)
    policy: ExecutionPolicy = field(factory=ExecutionPolicy)
    limits: RiskLimits | None = None
    rates: Mapping[str, str] = field(factory=dict)
    fx_book: Leg | None = None
    tick_s: Decimal = field(default=Decimal(1), converter=_number, validator=positive)
    latency_ms: Decimal = field(default=Decimal(40), converter=_number, validator=not_negative)
    jitter_ms: Decimal = field(default=ZERO, converter=_number, validator=not_negative)
    seed: int = field(default=7, validator=_whole)

    def __attrs_post_init__(self) -> None:
        first, second = self.legs
        if first == second or first.base != second.base:
            raise InvalidInput("legs", (first, second), "must be two different markets of one base asset")
        for leg, rules in zip(self.legs, self.rules, strict=True):
            if rules.symbol != leg.symbol:
                raise InvalidInput("rules", rules.symbol, f"are not those of {leg.symbol}, the leg they stand for")
            if leg.exchange not in self.balances:
                raise InvalidInput("balances", sorted(self.balances), f"name none of {leg.exchange}")
        if self.notional.currency not in {first.quote, second.quote}:
            raise InvalidInput("notional", self.notional, f"must be in {first.quote} or {second.quote}")
        if self.fx_book is not None and {self.fx_book.base, self.fx_book.quote} != {first.quote, second.quote}:
            raise InvalidInput("fx_book", self.fx_book, f"is no rate between {first.quote} and {second.quote}")
        if first.quote != second.quote and self.fx_book is None and not self.rates:
            raise InvalidInput("rates", self.rates, f"must tell what one {second.quote} is worth in {first.quote}")


# ------------------------------------------------------------------ what the recordings are of

SPOT = Leg("binance", "BTC/USDT")
USDM = Leg("binanceusdm", "BTC/USDT:USDT")

SPOT_RULES = MarketRules(
    symbol=SPOT.symbol,
    base="BTC",
    quote="USDT",
    lot=Decimal("0.00001"),
    ticks=(TickBand(ZERO, Decimal("0.01")),),
    amount_min=Decimal("0.00001"),
    amount_max=Decimal(9000),
    notional_min=Decimal(5),
    taker_fee=Decimal("0.001"),
    maker_fee=Decimal("0.001"),
    fee_in=FeeIn.BASE_ON_BUY,
)
USDM_RULES = MarketRules(
    symbol=USDM.symbol,
    base="BTC",
    quote="USDT",
    lot=Decimal("0.001"),
    ticks=(TickBand(ZERO, Decimal("0.1")),),
    amount_min=Decimal("0.001"),
    amount_max=Decimal(1000),
    notional_min=Decimal(100),
    taker_fee=Decimal("0.0005"),
    maker_fee=Decimal("0.0002"),
    fee_in=FeeIn.QUOTE,
    contract_size=Decimal(1),
    leverage=Decimal(20),
)


def binance_setup(**changes: Any) -> Setup:
    """Return a backtest of Binance spot against its USD-M futures, BTC, by the venues' own rules and fees of 2024.

    The two are seldom further apart than a twentieth of a percent, a third of what both fees come to. So the
    thresholds look at the spread before fees: what is to be seen is how trades are executed, not a profit.
    """
    given: dict[str, Any] = {
        "legs": (SPOT, USDM),
        "rules": (SPOT_RULES, USDM_RULES),
        "balances": {
            SPOT.exchange: {"USDT": Decimal(1_000_000), "BTC": Decimal(10)},
            USDM.exchange: {"USDT": Decimal(1_000_000)},
        },
        "notional": Money(Decimal(20_000), "USDT"),
        "thresholds": StrategyThresholds(
            entry_pct="0.042",
            entry_basis="gross",
            exit_basis="executable",
            take_profit_pct="0.012",
            stop_loss_pct="0.03",
            neutral_pct="0.005",
            hold_max_s=60,
            liquidity_min=Money(Decimal(50_000), "USDT"),
        ),
    }
    return Setup(**(given | changes))
