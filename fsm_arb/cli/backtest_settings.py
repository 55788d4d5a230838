"""A backtest's setup from a file of the user's own: TOML.

::

    legs = ["upbit BTC/KRW", "binance BTC/USDT"]     # the spread is positive where the first is the dear one
    tick_s = 1
    latency_ms = 40

    [strategy]
    notional = "1000000 KRW"
    entry_pct = 0.5
    liquidity_min = "100000000 KRW"

    [fx]
    "USDT/KRW" = 1400                                # or: book = "upbit USDT/KRW", a market among the books

    [balances.upbit]
    KRW = 100000000
    BTC = 1

    [[markets]]
    exchange = "upbit"
    symbol = "BTC/KRW"
    lot = "0.00000001"
    tick = 1000
    notional_min = 5000
    taker_fee = "0.0005"

Then ``[policy]`` with the fields of an `ExecutionPolicy`, and ``[risk]`` with those of `RiskLimits`.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import fields, frozen
from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError

from fsm_arb.backtest.setup import Setup
from fsm_arb.errors import InvalidInput
from fsm_arb.policy import ExecutionPolicy
from fsm_arb.risk.limits import RiskLimits
from fsm_arb.strategy.thresholds import StrategyThresholds
from fsm_arb.values import FeeIn, Leg, MarketRules, Money, TickBand, to_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T = TypeVar("T")

ZERO = Decimal(0)
NUMBERS = ("tick_s", "latency_ms", "jitter_ms", "seed")
SECTIONS = {"legs", "strategy", "fx", "balances", "markets", "policy", "risk", *NUMBERS}


@frozen(kw_only=True)
class Market:
    """One market as a file tells it: as `MarketRules`, with one tick, and the exchange that it is on."""

    exchange: str
    symbol: str
    lot: Decimal
    tick: Decimal
    amount_min: Decimal = ZERO
    amount_max: Decimal | None = None
    notional_min: Decimal = ZERO
    taker_fee: Decimal
    maker_fee: Decimal | None = None  # as the taker's where it is left out
    fee_in: FeeIn = FeeIn.QUOTE
    contract: bool = False
    leverage: Decimal = Decimal(1)

    def rules(self) -> MarketRules:
        """Return what the venue accepts and charges."""
        leg = Leg(self.exchange, self.symbol)
        for name in ("lot", "tick", "leverage"):
            if getattr(self, name) <= 0:
                raise InvalidInput(name, getattr(self, name), "must be greater than zero")
        return MarketRules(
            symbol=leg.symbol,
            base=leg.base,
            quote=leg.quote,
            lot=self.lot,
            ticks=(TickBand(ZERO, self.tick),),
            amount_min=self.amount_min,
            amount_max=self.amount_max,
            notional_min=self.notional_min,
            taker_fee=self.taker_fee,
            maker_fee=self.taker_fee if self.maker_fee is None else self.maker_fee,
            fee_in=self.fee_in,
            contract_size=Decimal(1) if self.contract else None,
            leverage=self.leverage,
        )


def read_setup(path: Path) -> Setup:
    """Return the backtest that a TOML file describes.

    Raises:
        InvalidInput: It is no TOML, lacks something, names what there is not, or a number is out of range; names the
            file and the place in it.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("settings", path.name, f"is no TOML: {error}") from error
    unknown = sorted(given.keys() - SECTIONS)
    if unknown:
        raise InvalidInput(
            "settings", path.name, f"names {', '.join(unknown)}; it may name {', '.join(sorted(SECTIONS))}"
        )
    missing = sorted({"legs", "strategy", "balances", "markets"} - given.keys())
    if missing:
        raise InvalidInput("settings", path.name, f"lacks {', '.join(missing)}")
    try:
        return _setup(given)
    except _Wrong as wrong:
        raise InvalidInput("settings", path.name, str(wrong)) from None
    except InvalidInput as error:
        raise InvalidInput("settings", path.name, str(error)) from error


class _Wrong(Exception):
    """What is wrong with a file, and where."""


def _setup(given: Mapping[str, Any]) -> Setup:
    legs = given["legs"]
    if not isinstance(legs, list) or len(legs) != 2:  # noqa: PLR2004 - a pair
        raise _Wrong('legs: must be two, such as ["upbit BTC/KRW", "binance BTC/USDT"]')
    first, second = (_leg(leg, "legs") for leg in legs)
    strategy = dict(given["strategy"])
    if "notional" not in strategy:
        raise _Wrong("strategy: lacks notional, how much an entry trades")
    notional = _at("strategy", strategy.pop("notional"), Money)
    rules = _rules(given["markets"])
    rates = dict(given.get("fx", {}))
    book = rates.pop("book", None)
    if "risk" in given and "daily_loss" not in given["risk"]:
        raise _Wrong("risk: lacks daily_loss, which also says what currency all of it is in")
    return Setup(
        legs=(first, second),
        rules=(_of(rules, first), _of(rules, second)),
        balances={
            venue: {asset: to_decimal(amount, f"balances.{venue}.{asset}") for asset, amount in assets.items()}
            for venue, assets in given["balances"].items()
        },
        notional=notional,
        thresholds=_at("strategy", strategy, StrategyThresholds),
        policy=_at("policy", given.get("policy", {}), ExecutionPolicy),
        limits=_at("risk", given["risk"], RiskLimits) if "risk" in given else None,
        rates={pair: str(rate) for pair, rate in rates.items()},
        fx_book=None if book is None else _leg(book, "fx.book"),
        **{name: given[name] for name in NUMBERS if name in given},
    )


def _leg(text: Any, where: str) -> Leg:
    exchange, _, symbol = str(text).partition(" ")
    if not symbol:
        raise _Wrong(f'{where}: {text!r} must be an exchange and a symbol, such as "upbit BTC/KRW"')
    return Leg(exchange, symbol.strip())


def _rules(markets: Any) -> dict[Leg, MarketRules]:
    if not isinstance(markets, list):
        raise _Wrong("markets: must be tables, each headed [[markets]]")
    found = {}
    for number, each in enumerate(markets, 1):
        market = _at(f"markets, number {number}", each, Market)
        found[Leg(market.exchange, market.symbol)] = market.rules()
    return found


def _of(rules: Mapping[Leg, MarketRules], leg: Leg) -> MarketRules:
    if leg not in rules:
        raise _Wrong(f"markets: lack {leg.exchange} {leg.symbol}, which is traded")
    return rules[leg]


def _at(where: str, given: Any, kind: type[T]) -> T:
    """Return a part of the file as what it stands for.

    Raises:
        _Wrong: It does not; says where.
    """
    try:
        return _CONVERTER.structure(given, kind)
    except ForbiddenExtraKeysError as error:
        known = ", ".join(field.name for field in fields(error.cl))
        raise _Wrong(f"{where}: there is no {', '.join(sorted(error.extra_fields))}; there are {known}") from None
    except KeyError as error:
        raise _Wrong(f"{where}: lacks {error.args[0]}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _Wrong(f"{where}: {error}") from None


def _money(given: Any, _kind: Any) -> Money:
    number, _, currency = str(given).partition(" ")
    if not currency:
        raise InvalidInput("money", given, 'must be an amount and a currency, such as "1000000 KRW"')
    return Money(to_decimal(number.replace("_", ""), "money"), currency.strip())


def _decimal(given: Any, _kind: Any) -> Decimal:
    return to_decimal(given, "number")


def _as_given(given: Any, _kind: Any) -> Any:
    return given


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook(Money, _money)
    converter.register_structure_hook(Decimal, _decimal)
    # Those classes judge these themselves, and name field and value in what they raise.
    for kind in (int, bool):
        converter.register_structure_hook(kind, _as_given)
    converter.register_structure_hook_func(
        lambda kind: isinstance(kind, type) and hasattr(kind, "__members__") and kind is not FeeIn, _as_given
    )
    return converter


_CONVERTER = _converter()
