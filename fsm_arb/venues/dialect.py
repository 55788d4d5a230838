"""The words in which one exchange differs from ccxt's unified API."""

from __future__ import annotations

import enum
import hashlib
from typing import TYPE_CHECKING

from attrs import field, frozen

from fsm_arb.ports import OrderStatus
from fsm_arb.values import FeeIn

if TYPE_CHECKING:
    from collections.abc import Mapping


class IdForm(enum.Enum):
    """How our id is written for the venue."""

    PLAIN = "plain"
    GATE_TEXT = "gate_text"  # gate wants `t-` in front of what users choose
    CLOID = "cloid"  # hyperliquid wants 128 bits in hexadecimal


class Unique(enum.Enum):
    """How long a venue refuses to take a client id again."""

    FOR_EVER = "for_ever"
    AMONG_OPEN = "among_open"  # after a fill the same id is accepted again: a blind resend executes twice
    UNKNOWN = "unknown"


class MarketForm(enum.Enum):
    """How a market order of an exact base quantity is had."""

    BASE = "base"  # the venue's own market order, counted in base
    # The venue's market order spends quote, so it would buy more than asked wherever the
    # book is better than the worst price. A limit order, immediate or cancel, at that
    # worst price trades the same levels and stops at the quantity.
    BOUNDED = "bounded"


@frozen(kw_only=True)
class Ask:
    """A question about one order. In its texts the words of `lookup.words_for` are filled in, such as {id}."""

    method: str  # of the exchange object
    order_id: str | None = None  # first argument of a unified call
    params: Mapping[str, str | bool] = field(factory=dict)
    path: tuple[str, ...] | None = None  # implicit endpoints: where the order or the list of orders is; None: unified


@frozen(kw_only=True)
class Listing:
    """A list that could show an order."""

    method: str  # unified
    page: int | None = None  # rows that one page holds and we ask for; None: unknown
    window_ms: int | None = None  # how far back it reaches; None: as far as we ask
    since: bool = True  # whether it can be asked from a time on; a list without, such as of open orders, is whole
    params: Mapping[str, str | bool] = field(factory=dict)


@frozen(kw_only=True)
class Dialect:
    """One exchange, as far as it is not like the others."""

    exchange_id: str
    why: str  # where the facts come from
    listed: bool = True

    client_id_param: str | None = "clientOrderId"  # key in create's params; None: it takes no id
    client_id_keys: tuple[str, ...] = ("clientOrderId", "clientOid", "client_order_id")  # in the raw order
    client_id_length_max: int = 36
    client_id_alphabet: str = "A-Za-z0-9"
    id_form: IdForm = IdForm.PLAIN
    unique: Unique = Unique.UNKNOWN
    duplicate_words: tuple[str, ...] = ()  # in an error: this id has been seen before

    look_up: Ask | None = Ask(method="fetch_order", params={"clientOrderId": "{id}"})
    look_up_params: Mapping[str, str | bool] = field(factory=dict)  # of fetch_order by venue id
    cancel: Ask | None = Ask(method="cancel_order", params={"clientOrderId": "{id}"})
    cancel_known: Ask | None = None  # by the venue's id, {order_id}, where cancel_order wants more than that
    listings: tuple[Listing, ...] = ()  # all of these together show every order; empty: what `has` offers
    proves_absence: bool = True  # whether the listings can show an order to be ours, open or ended
    absent_names: tuple[str, ...] = ()  # error names that mean: no such order, where ccxt leaves them bare
    trades_params: Mapping[str, str | bool] = field(factory=dict)  # of fetch_my_trades, to narrow it to one order

    ioc_params: Mapping[str, str | bool] | None = field(factory=lambda: {"timeInForce": "IOC"})  # None: has none
    limit_params: Mapping[str, str | bool] = field(factory=dict)
    market_params: Mapping[str, str | bool] = field(factory=dict)
    post_only_params: Mapping[str, str | bool] = field(factory=lambda: {"postOnly": True})
    reduce_only_params: Mapping[str, str | bool] = field(factory=lambda: {"reduceOnly": True})
    numbers_as_text: bool = False  # whether create_order loses amounts that are Decimal
    market_buy: MarketForm = MarketForm.BASE
    market_sell: MarketForm = MarketForm.BASE
    options: Mapping[str, object] = field(factory=dict)  # settings that make the above true; dots go deeper

    fee_in: FeeIn = FeeIn.UNKNOWN
    # Implicit endpoint, and the flag in its answer that says: this account pays fees in a third asset, not in base.
    fee_elsewhere: tuple[str, str] | None = None
    average_from: str | None = None  # raw key of the quote that changed hands, where ccxt's average may mislead
    average_trusted: bool = True  # whether the unified `average` is of fills
    status_key: str | None = None  # raw key of the venue's own status word
    statuses: Mapping[str, OrderStatus] = field(
        factory=dict
    )  # venue's words that ccxt translates wrongly or not at all
    refusal_names: Mapping[str, str] = field(factory=dict)  # beginnings of error names that ccxt leaves bare → code
    refusal_flag: tuple[str, object] | None = None  # key and value in the reply that say: no order was made

    enforces_expiry: bool = False  # the venue itself refuses a request that comes late
    burst_s: float = 1.0  # seconds' worth of its rate limit that may go at once
    book_limit: int | None = 20
    tells_status: bool = True  # whether fetch_status asks the very service that takes the orders
    significant_digits: int | None = None  # of a price, where the venue counts those
    price_decimals_max: tuple[int, int] | None = None  # then also: decimals of contracts and of spot, less the lot's

    def wire_id(self, client_order_id: str) -> str:
        """Return our id as this venue shows it. The same id always gives the same text."""
        if self.id_form is IdForm.GATE_TEXT:
            return f"t-{client_order_id}"
        if self.id_form is IdForm.CLOID:
            return "0x" + hashlib.sha256(client_order_id.encode()).hexdigest()[:32]
        return client_order_id
