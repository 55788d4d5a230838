"""One trade's story for a person: the head first, then what was decided, on what, and what came of it."""

from __future__ import annotations

from decimal import Context
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from fsm_arb.audit.details import option_said, policy_said
from fsm_arb.audit.figures import clock
from fsm_arb.cli.exposure_plot import Held, plot_lines
from fsm_arb.cli.render import STYLES, cash
from fsm_arb.clock import NS_PER_MS, NS_PER_S
from fsm_arb.messages import Kind
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from fsm_arb.audit.order_story import OrderStory
    from fsm_arb.audit.story import Step, Story, Weighing
    from fsm_arb.audit.summary import Summary
    from fsm_arb.messages import Option

PRICE_DIGITS = Context(prec=12)
MINUTE_NS, HOUR_NS, DAY_NS = 60 * NS_PER_S, 3600 * NS_PER_S, 86_400 * NS_PER_S
Part = str | Table  # a line in rich's markup, or a table


def story_parts(story: Story, *, plain: bool) -> Iterator[Part]:
    """Yield a story part by part; *plain*: without block characters."""
    yield from _head(story)
    yield from _titled("Decision", _decision(story))
    yield from _titled("Checks", _checks(story))
    yield from _titled("Size", _size(story))
    yield from _titled("Orders", _orders(story))
    if story.orders:
        yield _orders_table(story)
    yield from _titled("What was weighed", _weighings(story))
    if story.trade.ledger is not None:
        yield from _titled("Exposure", _exposure(story, plain=plain))
    yield from _titled("What happened", _steps(story))
    yield from _titled("How it stands" if not story.over else "Outcome", _outcome(story))


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield f"[bold]{title}[/]"
        yield from (f"  {line}" for line in found)


def record_lines(story: Story) -> Iterator[str]:
    """Yield all that the last record of a story says, with the numbers behind it."""
    step = story.steps[-1]
    base = story.trade.decision.legs[0].base
    yield ""
    where = f"number {step.seq} of the journal, written by its opening {step.epoch}"
    yield f"[bold]Record {step.number}[/] ({escape(step.trigger)}, {where})"
    for line in (step.what, step.why, *step.details):
        if line:
            yield f"  {escape(line)}"
    yield f"  exposure {plain(step.exposure)} {base}, at worst {plain(step.worst)}"


# ------------------------------------------------------------------ head


def _head(story: Story) -> Iterator[str]:
    trade, summary = story.trade, story.summary
    yield f"[bold]{escape(story.trade_id)}[/]  {escape(_what(story))}"
    status = story.result.status if trade.done or trade.halted else f"still {trade.state}"
    style = STYLES.get(status, "")
    told = f"[{style}]{status.upper()}[/]" if style else status.upper()
    note = f": {escape(story.result.note)}" if story.result.note else ""
    yield f"  {told}{note}"
    ended = summary.ended_ns
    when = f"took {ago((ended or story.as_of_ns) - summary.began_ns)}" if ended else "has not ended"
    yield f"  began {clock(summary.began_ns, days=True)} UTC, {when}; {len(story.steps)} records"
    if not story.whole:
        upto = f"up to {clock(story.as_of_ns, days=True)} UTC, {ago(story.as_of_ns - story.began_ns)} after it began"
        yield f"  [yellow]As it was known {upto}: nothing later is told.[/]"
    if trade.ledger is not None:
        yield f"  {escape(_exposed(story))}"
        yield f"  {escape(_brought(story))}"
    if story.advice:
        yield "  [bold red]What to do:[/]"
        for number, line in enumerate(story.advice, 1):
            yield f"    {number}. {escape(line)}"


def _what(story: Story) -> str:
    decision, sides = story.trade.decision, story.trade.begun.sides
    legs = [f"{side.value} {leg.symbol} on {leg.exchange}" for side, leg in zip(sides, decision.legs, strict=True)]
    return f"{decision.action.value}: {' and '.join(legs)}"


def _exposed(story: Story) -> str:
    base, summary = story.trade.decision.legs[0].base, story.summary
    dust = f"dust is below {plain(story.dust)}"
    now = f"exposure {'now' if story.whole else 'then'} {plain(story.exposure)} {base}"
    told = f"NAKED: {now}" if story.naked else f"{now} (nothing naked; {dust})"
    if not summary.naked:
        return f"{told}; {'since this moment' if story.naked else 'never naked for any time'}"
    worst = f"at worst {plain(summary.worst_exposure)} {base}"
    worth = cash(summary.worst_worth, story.trade.decision.legs[0].quote)
    naked = ago(int(summary.naked_s * NS_PER_S))
    return f"{told}; naked for {naked} in all, {worst} ({worth})"


def _brought(story: Story) -> str:
    base, quote = story.trade.decision.legs[0].base, story.trade.decision.legs[0].quote
    return f"matched {plain(story.summary.quantity)} {base}; PnL {cash(story.summary.net, quote)}"


# ------------------------------------------------------------------ what it was decided on


def _decision(story: Story) -> Iterator[str]:
    decision, begun = story.trade.decision, story.trade.begun
    if decision.notional is not None:
        yield escape(f"for {decision.notional}{f', because: {decision.reason}' if decision.reason else ''}")
    else:
        closing = (
            f"closing {plain(begun.quantity)} {decision.legs[0].base}" if begun.quantity is not None else "closing"
        )
        why = f", because: {decision.reason}" if decision.reason else ""
        yield escape(f"{closing} of position {decision.position_id}{why}")
    for leg, side, price in zip(decision.legs, begun.sides, decision.prices, strict=True):
        yield escape(f"{side.value} on {leg.exchange} at {price:f} {leg.quote}")
    if decision.decided_at is not None:
        age = (story.began_ns - int(decision.decided_at.timestamp() * NS_PER_S)) / NS_PER_S
        yield f"decided at {decision.decided_at.isoformat()}, {age:.3f} s before it was begun"
    yield escape(f"policy: {policy_said(begun.policy)}")


def _checks(story: Story) -> Iterator[str]:
    checks = story.trade.checks
    if checks is None:
        return
    yield f"[red]refused[/]: {escape(checks.refusal)}" if checks.refusal else "[green]passed[/]"
    for name, value in checks.readings.items():
        if value:
            yield escape(f"{name}: {value}")


def _size(story: Story) -> Iterator[str]:
    sizing = story.trade.sizing
    if sizing is None:
        return
    if sizing.plan is None:
        yield f"[red]refused[/]: {escape(sizing.refusal)}"
        return
    plan, base = sizing.plan, story.trade.decision.legs[0].base
    why = f", because: {plan.note}" if plan.note else ""
    yield escape(f"{plain(plan.quantity)} {base} on each leg{why}; less than {plain(plan.dust)} is dust")
    step = next(step for step in story.steps if step.trigger == "planned")
    yield from (escape(line) for line in step.details)


# ------------------------------------------------------------------ orders


def _orders(story: Story) -> Iterator[str]:
    base = story.trade.decision.legs[0].base
    for order in story.orders:
        what = f"{order.purpose}: {order.side} {plain(order.amount)} {base} on {order.exchange}"
        stands = f"{order.answer}, {order.standing}" if order.answer not in {"", order.standing} else order.standing
        yield escape(f"{order.index}  {what}, {order.order_type} {order.bound:f}: {stands}")
        there = f", there {order.venue_order_id}" if order.venue_order_id else ""
        note = f": {order.note}" if order.note else ""
        yield escape(f"   {order.client_order_id}{there}{note}")


def _orders_table(story: Story) -> Table:
    base = story.trade.decision.legs[0].base
    table = Table(box=None, pad_edge=False)
    for name in ("  #", "intended", "answered", "round trip", "first fill", "over", f"filled {base}", "at"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("fees", justify="right", overflow="fold")
    for order in story.orders:
        table.add_row(*(escape(cell) for cell in _order_row(story, order)))
    return table


def _order_row(story: Story, order: OrderStory) -> tuple[str, ...]:
    began = story.began_ns
    fees = ", ".join(f"{plain(fee.amount)} {fee.currency}" for fee in order.fees)
    return (
        str(order.index),
        since(order.intended_at_ns, began),
        since(order.placing_ended_at_ns, began),
        "" if order.round_trip_ns is None else f"{order.round_trip_ns / NS_PER_MS:,.1f} ms",
        since(order.first_fill_at_ns, began),
        since(order.ended_at_ns, began),
        plain(order.filled),
        "" if order.average is None else price(order.average),
        fees or ("none" if order.fees_told else "not told"),
    )


# ------------------------------------------------------------------ decisions


def _weighings(story: Story) -> Iterator[str]:
    for weighing in story.weighings:
        yield from _weighed(story, weighing)


def _weighed(story: Story, weighing: Weighing) -> Iterator[str]:
    choice, base = weighing.choice, story.trade.decision.legs[0].base
    if choice.kind in {Kind.FIRST, Kind.WAIT, Kind.PROBE, Kind.BOOK} and not choice.weighed:
        return
    exposed = f"exposure {plain(choice.exposure)} {base}"
    if choice.worst != choice.exposure:
        exposed += f", at worst {plain(choice.worst)}"
    attempt = f", attempt {choice.attempt + 1}" if choice.weighed else ""
    when = since(weighing.at_ns, story.began_ns)
    yield f"{when}  [bold]{choice.kind.value}[/]: {escape(choice.reason)} ({escape(exposed)}{attempt})"
    for option in choice.weighed:
        mark = ">" if choice.option == option else " "
        yield f"  {mark} {escape(option_said(story.trade, option))}"
    other = next((each for each in choice.weighed if each != choice.option), None)
    if choice.option is not None and other is not None and not other.blocked:
        yield from _difference(choice.option, other, story.trade.decision.legs[0].quote)


def _difference(chosen: Option, other: Option, quote: str) -> Iterator[str]:
    """Yield what the other remedy would have cost more, or less."""
    if chosen.cost is not None and other.cost is not None:
        more = other.cost - chosen.cost
        yield f"    to {other.kind.value} would cost {abs(more):,.4f} {quote} {'more' if more >= 0 else 'less'}"


# ------------------------------------------------------------------ over time


def _exposure(story: Story, *, plain: bool) -> Iterator[str]:
    held = [Held(step.at_ns, step.exposure) for step in story.steps]
    end = story.summary.ended_ns or story.as_of_ns
    held = [each for each in held if each.at_ns <= end]
    base = story.trade.decision.legs[0].base
    yield from plot_lines(held, end, base, since(end, story.began_ns), plain=plain)


def _steps(story: Story) -> Iterator[str]:
    before: Step | None = None
    for step in story.steps:
        when = "" if before is not None and before.at_ns == step.at_ns else since(step.at_ns, story.began_ns)
        what = f"{step.before} → {step.after}: {step.what or step.why}" if step.moved else step.what
        yield f"{when:>12}  {escape(f'{step.number:>3}')}  {escape(what)}"
        before = step


def _outcome(story: Story) -> Iterator[str]:
    summary: Summary = story.summary
    base, quote = story.trade.decision.legs[0].base, story.trade.decision.legs[0].quote
    yield " → ".join(summary.path)
    for leg in story.result.legs:
        at = f" at {price(leg.avg_price)}" if leg.avg_price is not None else ""
        error = f" ({leg.error})" if leg.error else ""
        yield escape(f"{leg.exchange}: {leg.status}, received {plain(leg.received_qty)} {base}{at}{error}")
    if story.trade.ledger is None:
        yield "nothing was sent"
        return
    parts = f"{cash(summary.gross, quote)} before fees, less {cash(summary.fees, quote)} of fees"
    yield f"PnL {cash(summary.net, quote)} = {parts}; fills were {_against_decided(summary.slippage, quote)}"


def _against_decided(slippage: Decimal, quote: str) -> str:
    if not slippage:
        return "at the prices it was decided on"
    return f"{cash(abs(slippage), quote)} {'worse' if slippage > 0 else 'better'} than those prices"


# ------------------------------------------------------------------ numbers and times


def price(value: Decimal) -> str:
    """Return an average price; what a division has left behind the twelfth digit says nothing."""
    return plain(PRICE_DIGITS.plus(value))


def since(at_ns: int | None, began_ns: int) -> str:
    """Return how long after the beginning something was; empty where it was not."""
    return "" if at_ns is None else f"+{ago(at_ns - began_ns)}"


def ago(span_ns: int) -> str:
    """Return a span of time, to what matters of it."""
    if span_ns < MINUTE_NS:
        return f"{span_ns / NS_PER_S:.3f}s"
    if span_ns < HOUR_NS:
        return f"{span_ns // MINUTE_NS}m{span_ns % MINUTE_NS / NS_PER_S:06.3f}s"
    if span_ns < 2 * DAY_NS:
        return f"{span_ns // HOUR_NS}h{span_ns % HOUR_NS // MINUTE_NS:02}m{span_ns % MINUTE_NS // NS_PER_S:02}s"
    return f"{span_ns // DAY_NS}d{span_ns % DAY_NS // HOUR_NS:02}h"
