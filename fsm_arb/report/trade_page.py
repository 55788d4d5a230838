"""One trade as one page: how it stands, what to do, the way it took, its time, its orders, decisions and records."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fsm_arb.audit.details import policy_said
from fsm_arb.audit.figures import amount, clock, money
from fsm_arb.audit.story import story_of
from fsm_arb.machines.trade import TRADE_TABLE
from fsm_arb.report.decisions import decisions
from fsm_arb.report.machine import machine, steps_taken
from fsm_arb.report.markup import Markup, join, tag
from fsm_arb.report.records import records
from fsm_arb.report.shell import shell
from fsm_arb.report.tables import price, row, table
from fsm_arb.report.timeline import timeline
from fsm_arb.report.times import lasting, since
from fsm_arb.values import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fsm_arb.audit.order_story import OrderStory
    from fsm_arb.audit.story import Story
    from fsm_arb.audit.tales import Tale
    from fsm_arb.values import Fee

STYLES = ("base.css", "trade.css")
LEG_COLUMNS = ("<leg", "<side", "asked for", "received", "average price", "fees", "<status")
ORDER_COLUMNS = (
    "order", "<what", "<became", "filled", "average", "fees", "intended", "answered in", "on the wire", "<ids",
)  # fmt: skip
# What an outcome means, for whoever is woken by it.
MEANINGS = {
    "success": "Both legs match, at the size that was asked for.",
    "partial_hedged": "Both legs match, at a smaller size.",
    "rolled_back": "Something was traded, and traded back.",
    "failed": "It was tried and nothing came of it, or it could not be sized. Nothing is held.",
    "blocked": "A check said no before anything was sent.",
    "halted": "Automation has met a wall. It goes on trying, slowly; a person is needed.",
}


def trade_page(tale: Tale, index: str = "") -> Markup:
    """Return the whole page.

    Args:
        tale: The trade.
        index: Where the list of all trades is, relative to this page; empty: there is none.

    Raises:
        MachineError: Its records contradict the table.
    """
    story = story_of(tale)
    decision = story.trade.decision
    sold = " and ".join(
        f"{side.value} {leg.symbol} on {leg.exchange}"
        for side, leg in zip(story.trade.begun.sides, decision.legs, strict=True)
    )
    top = tag(
        "header",
        tag("nav", tag("a", "All trades", href=index), aria_label="Pages") if index else None,
        tag("h1", f"Trade {story.trade_id} ", _badge(story)),
        tag("p", f"{decision.action.value}: {sold}. Begun {clock(story.began_ns, days=True)} UTC."),
    )
    main = tag(
        "main",
        _urgent(story),
        _tiles(story),
        *_why(story),
        _section("legs", "Both legs", _legs(story)),
        _section("way", "The way it took", _way(story)),
        _section("time", "Through time", timeline(tale, story)),
        _section("orders", "Orders", _orders(story)),
        _section("decisions", "Decisions", decisions(story)),
        _section("all-records", "Records", records(tale, story)),
    )
    title = f"{outcome_of(story)}: trade {story.trade_id}"
    return shell(title, join([top, main, _foot(tale)]), styles=STYLES, script="trade.js")


def outcome_of(story: Story) -> str:
    """Return how it ended, or that it has not."""
    return story.result.status if story.over or story.trade.halted else "still running"


def _badge(story: Story) -> Markup:
    outcome = outcome_of(story)
    return tag("span", outcome.replace("_", " "), class_=f"badge {badge_of(outcome)}")


def badge_of(outcome: str) -> str:
    """Return how an outcome looks."""
    return {"success": "good", "partial_hedged": "good", "halted": "bad", "rolled_back": "warn"}.get(outcome, "plain")


def _section(name: str, title: str, *parts: Markup) -> Markup:
    return tag("section", tag("h2", title, id=name), *parts, aria_labelledby=name)


# ------------------------------------------------------------------ how it stands


def _urgent(story: Story) -> Markup:
    """Return what is naked now and what a person can do; nothing where nobody is needed."""
    if not (story.naked or story.trade.halted):
        return Markup("")
    base, ledger = story.trade.decision.legs[0].base, story.trade.ledger
    worst = ledger.worst_exposure if ledger else story.exposure
    could = f" It could still become {amount(worst)} {base}." if worst != story.exposure else ""
    lasted = ""
    if ledger and story.naked:
        leg = ledger.plan.legs[0]
        worth = money(EXACT.multiply(abs(story.exposure), leg.price), leg.rules.quote)
        lasted = f"Worth {worth}; naked for {_naked_for(story)} in all. "
    as_of = f"{lasted}As of {clock(story.as_of_ns, days=True)} UTC, the last record."
    steps = [tag("li", line) for line in story.advice]
    todo = tag("ol", *steps) if steps else tag("p", "Nothing: it is being worked on.")
    why = tag("p", f"Why it halted: {story.trade.halt_reason}.") if story.trade.halted else None
    return tag(
        "section",
        tag("h2", f"{naked_now(story)}.", id="urgent"),
        tag("p", as_of, could),
        why,
        tag("h3", "What to do"),
        todo,
        class_="urgent",
        aria_labelledby="urgent",
    )


def naked_now(story: Story) -> str:
    """Return what is naked, in words."""
    if not story.naked:
        return "Nothing that is known is naked, but something is in doubt"
    way = "long" if story.exposure > 0 else "short"
    return f"{amount(abs(story.exposure))} {story.trade.decision.legs[0].base} is naked ({way})"


def _tiles(story: Story) -> Markup:
    summary, decision = story.summary, story.trade.decision
    base, quote = decision.legs[0].base, decision.legs[0].quote
    sent = f"{len(story.orders)}" if story.orders else "none"
    known = story.trade.ledger is not None
    pieces = (
        ("PnL", money(summary.net, quote) if known else "none"),
        ("Fees", money(summary.fees, quote)),
        ("Matched", f"{amount(summary.quantity)} {base}"),
        ("Naked now" if story.naked else "Left over", f"{amount(story.exposure)} {base}"),
        ("Time naked", _naked_for(story)),
        ("Most naked", f"{amount(summary.worst_exposure)} {base}"),
        ("Worth of most naked", money(summary.worst_worth, quote)),
        ("Orders", sent),
        ("Took" if story.over else "So far", lasting(_took(story))),
    )
    tiles = (tag("div", tag("dt", name), tag("dd", value), class_="tile") for name, value in pieces)
    return tag("dl", *tiles, class_="tiles")


def _naked_for(story: Story) -> str:
    return lasting(sum(each.to_ns - each.from_ns for each in story.summary.naked))


def _took(story: Story) -> int:
    ended = story.summary.ended_ns
    return (story.as_of_ns if ended is None else ended) - story.began_ns


def _why(story: Story) -> Iterator[Markup]:
    meaning = MEANINGS[story.result.status] if story.over or story.trade.halted else "It has not ended yet."
    note = f" {story.result.note[:1].upper()}{story.result.note[1:]}." if story.result.note else ""
    yield tag("p", meaning, note, class_="note")
    decision = story.trade.decision
    if decision.reason:
        yield tag("p", f"Decided because: {decision.reason}.")
    yield tag("p", f"Policy: {policy_said(story.policy)}.")


def _legs(story: Story) -> Markup:
    rows = []
    legs = zip(story.trade.decision.legs, story.result.legs, story.trade.begun.sides, strict=True)
    for index, (leg, done, side) in enumerate(legs):
        notes = Counter(order.note for order in story.orders if order.leg == index and order.note)
        told = [f"{note} ({count} times)" if count > 1 else note for note, count in notes.items()]
        cells = (
            f"{leg.symbol} on {leg.exchange}",
            side.value,
            f"{amount(done.requested_qty)} {leg.base}",
            f"{amount(done.received_qty)} {leg.base}",
            price(done.avg_price, leg.quote),
            _fees(done.fees),
            done.status.replace("_", " ") + (f": {'; '.join(told)}" if told else ""),
        )
        rows.append(row(LEG_COLUMNS, cells))
    return table("What each leg brought, remedies included", LEG_COLUMNS, rows, class_="legs")


def _fees(fees: Iterable[Fee]) -> str:
    return ", ".join(f"{amount(fee.amount)} {fee.currency}" for fee in fees)


def _way(story: Story) -> Markup:
    moves = [step for step in story.steps if step.moved]
    ways = [(step.before, step.trigger, step.after) for step in moves]
    times = [since(step.at_ns, story.began_ns) for step in moves]
    picture = machine(TRADE_TABLE, ways, story.trade.state)
    return tag("div", picture, steps_taken(TRADE_TABLE, ways, times), class_="way")


# ------------------------------------------------------------------ its orders


def _orders(story: Story) -> Markup:
    if not story.orders:
        return tag("p", "No order was sent.")
    rows = [_order(order, story) for order in story.orders]
    return table("Every order, as it was intended", ORDER_COLUMNS, rows, class_="orders")


def _order(order: OrderStory, story: Story) -> Markup:
    leg = story.trade.decision.legs[order.leg]
    theirs = tag("code", order.venue_order_id) if order.venue_order_id else "no id of the venue"
    ids = join([tag("code", order.client_order_id), tag("br"), theirs])
    what = (
        f"{order.purpose}: {order.side} {amount(order.amount)} {leg.base} on {order.exchange}, {order.order_type},"
        f" no worse than {price(order.bound, leg.quote)}{', reduce only' if order.reduce_only else ''}"
    )
    fees = _fees(order.fees) if order.fees_told or order.fees else "not told" if order.filled else ""
    cells = (
        str(order.index),
        what,
        order.standing + (f" ({order.note})" if order.note else ""),
        amount(order.filled),
        price(order.average),
        fees,
        since(order.intended_at_ns, story.began_ns),
        "" if order.answered_in_ns is None else lasting(order.answered_in_ns),
        "" if order.round_trip_ns is None else lasting(order.round_trip_ns),
        ids,
    )
    return row(ORDER_COLUMNS, cells)


def _foot(tale: Tale) -> Markup:
    first, last = tale.lines[0].record, tale.lines[-1].record
    return tag(
        "footer",
        tag("p", f"Drawn from records {first.seq:,} to {last.seq:,} of the journal. The last one's hash is"),
        tag("p", tag("code", last.hash)),
    )
