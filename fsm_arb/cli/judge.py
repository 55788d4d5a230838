"""Whether a demonstration was honest: the journal's word against the exchange's own books.

The books are the server's; nothing that a client believes is in them. Every
order there is led back to its decision by its client order id, which stands in
the journal's intents, and nothing may be left over on either side.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import field, frozen

from fsm_arb.machines.trade import TradeState
from fsm_arb.messages import Purpose
from fsm_arb.results import result_of
from fsm_arb.values import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fsm_arb.audit.tales import Tale
    from fsm_arb.cli.course import Setting
    from fsm_arb.memory import Memory
    from fsm_arb.orders import Order
    from fsm_arb.testing.loopback.truth import TrueFill, Truth

EVER_HALTED_MAX = Decimal("0.05")  # of all trades: halting at the first trouble is no answer
PNL_SLACK = Decimal("1e-9")  # averages are kept to sixty digits and read back from fewer


@frozen(kw_only=True)
class Verdict:
    """What was found. No problems: all is well."""

    problems: tuple[str, ...]
    trades: int
    orders: int  # on the exchange's books
    fills: int
    halted_ever: int
    exposure: Mapping[str, Decimal]  # base by asset, over all trades, from the exchange's books
    dust: Mapping[str, Decimal]  # base by asset: what the trades may leave in all
    outcomes: Mapping[str, int] = field(factory=dict)

    @property
    def halted_share(self) -> Decimal:
        """The share of trades that were ever halted."""
        return Decimal(self.halted_ever) / self.trades if self.trades else ZERO


def judge(tales: Sequence[Tale], truth: Truth, asked: Iterable[str], setting: Setting) -> Verdict:
    """Compare what the journal tells with what the exchange knows.

    Args:
        tales: Every trade of the journal.
        truth: The exchange's books, after its faults were switched off and every watch was over.
        asked: The ids of the decisions that were to be executed.
        setting: Which venues took part.
    """
    fills = _by_client_id(truth, setting)
    halted = sum(tale.trade.ever_halted for tale in tales)
    problems = [
        *_missing(tales, asked),
        *_strangers(tales, truth, setting),
        *(problem for tale in tales for problem in _trade(tale.trade, fills)),
        *_unexplained(truth, setting),
    ]
    exposure: dict[str, Decimal] = {}
    dust: dict[str, Decimal] = {}
    for tale in tales:
        base = tale.trade.decision.legs[0].base
        exposure.setdefault(base, truth.net(base))
        dust[base] = dust.get(base, ZERO) + (tale.trade.ledger.plan.dust if tale.trade.ledger else ZERO)
    for base, naked in exposure.items():
        told = sum((t.trade.exposure for t in tales if t.trade.decision.legs[0].base == base), ZERO)
        if naked != told:
            problems.append(f"{base}: the exchange's books leave {naked:f} naked, the journal says {told:f}")
    if halted > 1 and halted >= EVER_HALTED_MAX * len(tales):  # one alone is no share
        problems.append(f"{halted} of {len(tales)} trades were halted at some time; fewer than 5 % may be")
    return Verdict(
        problems=tuple(problems),
        trades=len(tales),
        orders=sum(len(truth[venue].orders) for venue in setting.venues),
        fills=sum(len(truth[venue].fills) for venue in setting.venues),
        halted_ever=halted,
        exposure=exposure,
        dust=dust,
        outcomes=Counter(tale.result.status for tale in tales),
    )


def _by_client_id(truth: Truth, setting: Setting) -> dict[str, list[TrueFill]]:
    fills: dict[str, list[TrueFill]] = {}
    for venue in setting.venues:
        for fill in truth[venue].fills:
            fills.setdefault(fill.client_id or "", []).append(fill)
    return fills


def _missing(tales: Sequence[Tale], asked: Iterable[str]) -> Iterator[str]:
    """Every decision became one trade, and no trade stands for none."""
    known, wanted = {tale.trade.trade_id for tale in tales}, set(asked)
    yield from (f"{each}: was asked for and is not on the journal" for each in sorted(wanted - known))
    # A blocked exit is tried again by itself, under its own id and a number.
    strange = sorted(each for each in known - wanted if each.partition("~")[0] not in wanted)
    yield from (f"{each}: is on the journal and was never asked for" for each in strange)


def _strangers(tales: Sequence[Tale], truth: Truth, setting: Setting) -> Iterator[str]:
    """Every order on the exchange has one intent, was sent once, and has ended."""
    venue_of = {
        order.intent.client_order_id: tale.trade.decision.legs[order.intent.leg].exchange
        for tale in tales
        for order in tale.trade.orders
    }
    for venue in setting.venues:
        books = truth[venue]
        yield from (f"{venue}: client order id {each} was sent twice" for each in books.sent_twice())
        for create in books.received:
            if venue_of.get(create.client_id or "") != venue:
                yield f"{venue}: received an order {create.client_id} that no intent on the journal speaks of"
        yield from (f"{venue}: order {order.client_id} is still live" for order in books.orders if order.is_open)


def _trade(trade: Memory, fills: Mapping[str, list[TrueFill]]) -> Iterator[str]:
    """One trade ended matched or flat, as the exchange saw it, and the journal knows all of it."""
    name = trade.trade_id
    if trade.state != TradeState.DONE:
        yield f"{name}: is {trade.state}, {trade.exposure:f} naked ({trade.halt_reason or 'unfinished'})"
    ledger = trade.ledger
    if ledger is None:
        return
    received = [
        sum((_received(order, fills) for order in trade.orders if order.intent.leg == leg), ZERO) for leg in (0, 1)
    ]
    for leg in (0, 1):
        exchange = trade.decision.legs[leg].exchange
        firsts = [order for order in trade.orders if order.intent.leg == leg and order.intent.purpose is Purpose.FIRST]
        if len(firsts) > 1:
            yield f"{name}: was executed {len(firsts)} times on {exchange}"
        if received[leg] != ledger.received[leg]:
            yield f"{name}: received {received[leg]:f} on {exchange}, the journal says {ledger.received[leg]:f}"
    if abs(received[0] + received[1]) >= ledger.plan.dust:
        yield f"{name}: {received[0] + received[1]:f} is naked on the exchange's books; dust is {ledger.plan.dust:f}"
    yield from _pnl(trade, fills)


def _received(order: Order, fills: Mapping[str, list[TrueFill]]) -> Decimal:
    """Return the signed base that an order brought, from the exchange's books."""
    return sum(
        (
            fill.amount * fill.side.sign - (fill.fee if fill.fee_asset == order.base else ZERO)
            for fill in fills.get(order.intent.client_order_id, ())
        ),
        ZERO,
    )


def _pnl(trade: Memory, fills: Mapping[str, list[TrueFill]]) -> Iterator[str]:
    """The PnL that was told is sells less buys less fees of the exchange's own fills."""
    told, ledger = result_of(trade).pnl, trade.ledger
    if told is None or ledger is None:
        yield f"{trade.trade_id}: its PnL is not known"
        return
    plan = ledger.plan
    true = trade.exposure * plan.legs[0].price
    for order in trade.orders:
        leg = plan.legs[order.intent.leg]
        for fill in fills.get(order.intent.client_order_id, ()):
            cash = -fill.side.sign * fill.amount * fill.price
            true += plan.worth(order.intent.leg, cash - (fill.fee if fill.fee_asset == leg.rules.quote else ZERO))
    if abs(true - told) > PNL_SLACK * max(abs(true), Decimal(1)):
        yield f"{trade.trade_id}: its PnL is {true:f} on the exchange's books, {told:f} was told"


def _unexplained(truth: Truth, setting: Setting) -> Iterator[str]:
    """What moved on the accounts moved by trades. A derivatives account has no base to move."""
    for venue in setting.venues:
        if truth[venue].wallet:
            continue
        for asset, gap in truth[venue].unexplained().items():
            yield f"{venue}: {gap:f} {asset} moved otherwise than by trades"
