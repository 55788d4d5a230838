"""Tables and lines for a terminal, or for a file: no control codes where nobody would see them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fsm_arb.audit.figures import MINUS, money
from fsm_arb.audit.words import words
from fsm_arb.memory import Memory
from fsm_arb.policy import Placement
from fsm_arb.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from fsm_arb.audit.tales import Tale
    from fsm_arb.cli.judge import Verdict

WIDTH_IN_A_FILE = 160  # columns
STYLES = {"success": "green", "partial_hedged": "green", "halted": "red", "rolled_back": "yellow"}
NS_PER_S = 1_000_000_000


def console() -> Console:
    """Return standard output: as wide as the terminal, or wide enough for every table."""
    out = Console(highlight=False)
    return out if out.is_terminal else Console(highlight=False, width=WIDTH_IN_A_FILE)


def cash(value: Decimal | None, currency: str) -> str:
    """Return an amount of money as `figures.money` does, with a minus that can be typed and copied."""
    return money(value, currency).replace(MINUS, "-")


def _money(value: Decimal | None, currency: str) -> str:
    return "unknown" if value is None else f"{value:,.2f} {currency}"


# ------------------------------------------------------------------ demonstration


def trades_table(tales: Sequence[Tale]) -> Table:
    """Return one row a trade; there is at least one."""
    first, second = tales[0].trade.decision.legs
    title = f"{len(tales)} cross trades: what is bought or sold on {first.exchange}, the reverse on {second.exchange}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("trade", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("path through the states", overflow="fold")
    table.add_column("outcome", no_wrap=True)
    for name in ("filled", "exposure", "PnL"):
        table.add_column(name, justify="right", no_wrap=True)
    for tale in sorted(tales, key=lambda each: each.trade.trade_id):
        result = tale.result
        base, quote = tale.trade.decision.legs[0].base, tale.trade.decision.legs[0].quote
        filled = min(abs(leg.received_qty) for leg in result.legs)
        style = STYLES.get(result.status, "")
        table.add_row(
            escape(tale.trade.trade_id),
            _what(tale),
            " ".join(tale.path),
            f"[{style}]{result.status}[/]" if style else result.status,
            f"{plain(filled)} {base}",
            plain(result.net_exposure),
            _money(result.pnl, quote) if tale.trade.ledger else "",
        )
    return table


def _what(tale: Tale) -> str:
    """Say what it does on the first leg; the second does the reverse, at once or in turn."""
    trade = tale.trade
    kind = "entry" if trade.decision.action.is_entry else "exit"
    placed = "at once" if trade.policy.placement is Placement.SIMULTANEOUS else "in turn"
    return f"{kind}, {trade.begun.sides[0].value} {trade.decision.legs[0].base}, {placed}"


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Yield what the exchange's own books say, a sentence a line."""
    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(verdict.outcomes.items()))
    yield f"Outcomes: {outcomes}."
    naked = ", ".join(
        f"{plain(value)} {base} (dust: below {plain(verdict.dust[base])})"
        for base, value in sorted(verdict.exposure.items())
    )
    yield f"The exchange's own books: {verdict.orders} orders, {verdict.fills} fills; net exposure {naked or 'none'}."
    if not verdict.problems:
        yield (
            "Checked against them: every order has one intent and was sent once, every decision was executed once, "
            "no order is live, every trade is matched or flat."
        )
    yield f"Ever halted: {verdict.halted_ever} of {verdict.trades} trades ({verdict.halted_share:.1%})."


# ------------------------------------------------------------------ one trade


def story_lines(tale: Tale) -> Iterator[str]:
    """Yield a trade's records in order, then how it stands."""
    trade: Memory | None = None
    base = tale.trade.decision.legs[0].base
    for number, line in enumerate(tale.lines, 1):
        entry = line.entry
        if trade is None:
            trade = Memory.fold(tale.trade.trade_id, [entry], tale.trade.fresh_id)
        else:
            trade.remember(entry)
        state = entry.after if entry.after == entry.before else f"{entry.before} -> {entry.after}"
        said = words(trade, entry.fact)
        yield f"{number:4}  {_time(entry.at_ns)}  {entry.trigger:<14} {state}"
        yield f"      {said + '; ' if said else ''}exposure {plain(line.exposure)} {base}"
    yield from _ending(tale)


def _ending(tale: Tale) -> Iterator[str]:
    result, trade = tale.result, tale.trade
    yield ""
    yield f"{trade.trade_id}: {' -> '.join(tale.path)}"
    base, quote = trade.decision.legs[0].base, trade.decision.legs[0].quote
    for leg in result.legs:
        ids = ", ".join(leg.order_ids) or "none"
        at = f" at {leg.avg_price:f}" if leg.avg_price is not None else ""
        yield f"{leg.exchange} {leg.symbol}: {leg.status}, received {plain(leg.received_qty)} {base}{at}; orders {ids}"
    outcome = result.status if trade.done or trade.halted else f"still {trade.state}"
    note = f" ({result.note})" if result.note else ""
    yield (
        f"Outcome {outcome}{note}; exposure {plain(result.net_exposure)} {base}, dust {plain(result.dust)};"
        f" PnL {_money(result.pnl, quote) if trade.ledger else 'none'}"
    )


def _time(at_ns: int) -> str:
    """Return a record's time, UTC, to the microsecond."""
    seconds, rest = divmod(at_ns, NS_PER_S)
    at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{rest // 1000:06d}Z"
