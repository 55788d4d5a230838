"""A run as one page: the picture, the sums, every trade. No script, nothing from anywhere else, light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from fsm_arb.audit.figures import amount, clock, money, seconds
from fsm_arb.backtest.plot import STYLE as PLOT_STYLE
from fsm_arb.backtest.plot import plot
from fsm_arb.report.markup import Markup
from fsm_arb.report.shell import shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fsm_arb.audit.summary import Summary
    from fsm_arb.backtest.report import Report, Sums

TRADES_MAX = 2000  # more than anybody reads; the journal has them all


def page(report: Report) -> str:
    """Return the whole page."""
    first, second = report.legs
    title = f"{first.exchange} {first.symbol} against {second.exchange} {second.symbol}"
    body = Markup(
        f"<header><h1>{escape(title)}</h1><p>{escape(span(report))}</p></header><main>"
        f"{_tiles(report)}{plot(report)}"
        f"<h2>By outcome</h2>{_outcomes(report)}"
        f"<h2>Why there was no entry</h2>{_why(report)}"
        f"<h2>Trades</h2>{_trades(report)}"
        f"<p>Journal: <code>{escape(report.digest)}</code></p></main>"
    )
    return shell(f"Backtest: {title}", body, beside=(PLOT_STYLE,))


def span(report: Report) -> str:
    """Return what was played, in words."""
    if not report.marks:
        return f"No price was seen; seed {report.seed}"
    begins, ends = report.marks[0].at_ns, report.marks[-1].at_ns
    looks = sum(report.why.values())
    return f"{clock(begins, days=True)} to {clock(ends, days=True)} UTC, {looks:,} looks, seed {report.seed}"


OUTCOME_COLUMNS = ("trades", "gross PnL", "fees", "net PnL", "slippage", "time naked", "worst exposure")


def outcome_rows(report: Report) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield kind, outcome and the cells of `OUTCOME_COLUMNS`, one row an outcome, and the sum last."""
    for (kind, status), each in report.by_outcome.items():
        yield kind, status, _cells(each, report)
    yield "all", "", _cells(report.total, report)


def _cells(each: Sums, report: Report) -> Sequence[str]:
    base, currency = report.legs[0].base, report.currency
    trades = f"{each.trades:,}" + (f" ({each.unknown:,} unknown)" if each.unknown else "")
    amounts = (money(value, currency) for value in (each.gross, each.fees, each.net, each.slippage))
    return trades, *amounts, seconds(each.naked_s), f"{amount(each.worst_exposure)} {base}"


def summary(report: Report) -> Sequence[tuple[str, str]]:
    """Return the numbers that a run is summed up in: what, and how much."""
    total, currency = report.total, report.currency
    return (
        ("Worth at the end", money(report.worth, currency)),
        ("Net PnL of trades", money(total.net, currency)),
        ("Gross PnL", money(total.gross, currency)),
        ("Fees", money(total.fees, currency)),
        ("Slippage", money(total.slippage, currency)),
        ("Deepest fall", money(report.drawdown, currency)),
        ("Positions left open", f"{report.opened - report.closed:,} of {report.opened:,}"),
        ("Time naked", seconds(total.naked_s)),
        ("Worst exposure", f"{amount(total.worst_exposure)} {report.legs[0].base}"),
    )


def _tiles(report: Report) -> str:
    tiles = "".join(
        f'<div class="tile"><span>{escape(name)}</span><b>{escape(value)}</b></div>' for name, value in summary(report)
    )
    return f'<div class="tiles">{tiles}</div>'


def _outcomes(report: Report) -> str:
    rows = [
        [f'<td class="t">{escape(kind)}</td><td class="t">{escape(status)}</td>', *map(_cell, cells)]
        for kind, status, cells in outcome_rows(report)
    ]
    columns = ('class="t">kind', 'class="t">outcome', *(f">{name}" for name in OUTCOME_COLUMNS))
    return _table("What the trades came to", columns, rows)


def _why(report: Report) -> str:
    said = sorted(report.why.items(), key=lambda each: (-each[1], each[0]))
    rows = [[f'<td class="t">{escape(reason)}</td>', _cell(f"{count:,}")] for reason, count in said]
    return _table("How often an entry was looked at", ('class="t">what the strategy said of an entry', ">looks"), rows)


def _trades(report: Report) -> str:
    columns = (
        'class="t">trade', 'class="t">began', 'class="t">action', 'class="t">outcome', ">quantity", ">gross", ">fees",
        ">net", ">slippage", ">naked", 'class="t">path',
    )  # fmt: skip
    shown = report.trades[:TRADES_MAX]
    left = len(report.trades) - len(shown)
    more = f"<p>{left:,} more are on the journal.</p>" if left else ""
    return _table("Every trade, in order", columns, [_trade(trade, report) for trade in shown]) + more


def _trade(trade: Summary, report: Report) -> list[str]:
    lost = trade.net is not None and trade.net < 0
    words = (trade.trade_id, clock(trade.began_ns), trade.action, trade.status)
    return [
        *(f'<td class="t">{escape(word)}</td>' for word in words),
        _cell(f"{amount(trade.quantity)} {report.legs[0].base}"),
        _cell(money(trade.gross)),
        _cell(money(trade.fees)),
        f'<td class="lost">{escape(money(trade.net))}</td>' if lost else _cell(money(trade.net)),
        _cell(money(trade.slippage)),
        _cell(seconds(trade.naked_s)),
        f'<td class="t path" title="{escape(trade.note)}">{escape(" ".join(trade.path))}</td>',
    ]


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _table(caption: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    starts = (f" {column}" if column.startswith("class") else column for column in columns)
    heads = "".join(f'<th scope="col"{start}</th>' for start in starts)
    head = f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    frame = f'class="wide" tabindex="0" role="group" aria-label="{escape(caption)}"'
    return f"<div {frame}><table>{head}<tbody>{body}</tbody></table></div>"
