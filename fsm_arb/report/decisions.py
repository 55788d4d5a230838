"""What a trade decided, one decision after the other, each with all that it compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_arb.audit.figures import amount, money
from fsm_arb.report.markup import Markup, join, tag
from fsm_arb.report.tables import price, row, table
from fsm_arb.report.times import since

if TYPE_CHECKING:
    from fsm_arb.audit.story import Story, Weighing
    from fsm_arb.messages import Option

SHOWN_MAX = 200  # the records below have them all
COLUMNS = ("<remedy", "<order", "touch", "average for all", "limit", "cost", "<so")


def decisions(story: Story) -> Markup:
    """Return all of them as a list in order; of very many the first and the last."""
    if not story.weighings:
        return tag("p", "It came to no decision of its own.")
    numbered = list(enumerate(story.weighings, 1))
    left_out = max(len(numbered) - SHOWN_MAX, 0)
    shown = numbered if not left_out else [*numbered[: SHOWN_MAX // 2], *numbered[-SHOWN_MAX // 2 :]]
    items = [tag("li", _told(story, weighing), value=str(number)) for number, weighing in shown]
    more = tag("p", f"{left_out} in between are left out here; their records are below.") if left_out else ""
    return join([tag("ol", *items, class_="decisions"), more])


def _told(story: Story, weighing: Weighing) -> Markup:
    choice, base = weighing.choice, story.trade.decision.legs[0].base
    when = f"{since(weighing.at_ns, story.began_ns)}, record {weighing.step}"
    stood = f"{amount(choice.exposure)} {base} naked, at worst {amount(choice.worst)} {base}"
    tried = f", after {choice.attempt} attempt{'s' if choice.attempt > 1 else ''}" if choice.attempt else ""
    head = join([tag("b", choice.kind.value), f": {choice.reason} ", tag("span", when, class_="when")])
    weighed = table(
        f"What decision at {since(weighing.at_ns, story.began_ns)} compared",
        COLUMNS,
        [_option(story, option, chosen=_same(option, choice.option)) for option in choice.weighed],
    )
    return join([head, tag("p", f"It saw {stood}{tried}."), weighed if choice.weighed else ""])


def _option(story: Story, option: Option, *, chosen: bool) -> Markup:
    leg = story.trade.decision.legs[option.leg]
    verdict = "chosen" if chosen else f"not possible: {option.blocked}" if option.blocked else "possible"
    cells = (
        option.kind.value,
        f"{option.side.value} {amount(option.amount)} {leg.base} on {leg.exchange}",
        price(option.touch),
        price(option.vwap),
        price(option.bound),
        "" if option.cost is None else money(option.cost, story.trade.decision.legs[0].quote),
        verdict,
    )
    return row(COLUMNS, cells, class_="chosen" if chosen else "passed")


def _same(option: Option, chosen: Option | None) -> bool:
    return chosen is not None and (option.kind, option.leg) == (chosen.kind, chosen.leg)
