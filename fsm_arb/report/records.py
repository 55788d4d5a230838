"""The records of one trade, each with the sentence that it comes to and the payload as it was written."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from fsm_arb.audit.figures import amount
from fsm_arb.clock import NS_PER_S
from fsm_arb.report.markup import Markup, join, tag
from fsm_arb.report.tables import framed, heads_of
from fsm_arb.report.times import since

if TYPE_CHECKING:
    from fsm_arb.audit.story import Step, Story
    from fsm_arb.audit.tales import Line, Tale

SHOWN_MAX = 2000  # more than a browser opens at once, or a person reads
COLUMNS = ("no.", "<when", "<what", "naked", "<payload")


def records(tale: Tale, story: Story) -> Markup:
    """Return them as a table that can be filtered by text and by kind; of very many the first and the last."""
    told = list(zip(tale.lines, story.steps, strict=True))
    left_out = max(len(told) - SHOWN_MAX, 0)
    shown = told if not left_out else [*told[: SHOWN_MAX // 2], *told[-SHOWN_MAX // 2 :]]
    kinds = sorted({step.trigger for _, step in shown})
    heads = heads_of(COLUMNS)
    made = tag(
        "table",
        tag("caption", f"All {len(told):,} records" if not left_out else f"{len(shown):,} of {len(told):,} records"),
        tag("thead", tag("tr", *heads)),
        tag("tbody", *(_row(line, step, story) for line, step in shown)),
        class_="records",
        id="records",
    )
    more = tag("p", f"{left_out:,} in between are left out here; the journal has them.") if left_out else ""
    return join([_filters(kinds, len(shown)), framed(made, "Records"), more])


def _filters(kinds: list[str], count: int) -> Markup:
    """Return what filters them. It is shown by the script that serves it."""
    every = tag("option", "every kind", value="")
    options = [tag("option", kind, value=kind) for kind in kinds]
    return tag(
        "form",
        tag("label", "Text ", tag("input", type="search", id="record-text", autocomplete="off")),
        tag("label", "Kind ", tag("select", every, *options, id="record-kind")),
        tag("button", "Open all payloads", type="button", id="record-open", aria_pressed="false"),
        tag("p", f"{count:,} records", role="status", id="record-count"),
        class_="filters",
        role="search",
        aria_label="Records",
        hidden=True,
    )


def _row(line: Line, step: Step, story: Story) -> Markup:
    moved = f"{step.before} → {step.after}" if step.moved else step.after
    details = [tag("br"), *(tag("span", each, class_="detail") for each in step.details)] if step.details else []
    what = join([tag("b", step.trigger), " ", tag("span", moved, class_="state-name"), tag("br"), step.what, *details])
    when = join([since(step.at_ns, story.began_ns), tag("br"), tag("span", clock_of(step.at_ns), class_="when")])
    cells = (
        tag("th", str(step.number), scope="row"),
        tag("td", when, class_="t"),
        tag("td", what, class_="t said"),
        tag("td", amount(step.exposure), class_="bad" if step.naked else None),
        tag("td", _payload(line, step), class_="t"),
    )
    look = "moved" if step.moved else "decided" if step.decided else None
    return tag("tr", *cells, class_=look, data_kind=step.trigger, id=f"record-{step.number}")


def _payload(line: Line, step: Step) -> Markup:
    record = line.record
    place = f"record {record.seq} of the journal, epoch {record.epoch}"
    told = f"{place}\nhash {record.hash}\nafter {record.previous_hash}\n{readable(record.payload)}"
    body = tag("pre", told, tabindex="0", role="group", aria_label=f"Payload of record {step.number}")
    return tag("details", tag("summary", "JSON"), body)


def readable(payload: str) -> str:
    """Return a payload with its lines indented; as it is where it is no JSON."""
    try:
        return json.dumps(json.loads(payload), indent=1, ensure_ascii=False)
    except ValueError:
        return payload


def clock_of(at_ns: int) -> str:
    """Return a wall clock time of day, UTC, to the millisecond."""
    seconds, rest = divmod(at_ns, NS_PER_S)
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%H:%M:%S}.{rest // 1_000_000:03d}"
