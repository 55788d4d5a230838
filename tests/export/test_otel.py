"""Trades as OpenTelemetry spans."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kept_journals import a_round, halted, keep, matched, mended
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode
from worlds import Walk

from fsm_arb.committed import FOLLOWED, Committed
from fsm_arb.errors import JournalForeign, MachineError
from fsm_arb.export import otel, spans
from fsm_arb.export.moments import Window
from fsm_arb.export.otel import TraceExporter, otlp_json, write_traces
from fsm_arb.journal.reader import JournalReader
from fsm_arb.messages import PlaceEnded
from fsm_arb.ports import Refused
from fsm_arb.scribe import trade_drafts

sys.path.insert(0, str(Path(__file__).parents[1] / "executor"))

from hall import Hall, papers, quick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

D = Decimal
S = 10**9


class Told:
    """A provider that keeps its spans, and an exporter on it."""

    def __init__(self, **options: Any) -> None:
        self.memory = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self.exporter = TraceExporter(self.provider)

    def take(self, walk: Walk, name: str = "t1") -> Told:
        for record in committed(walk, name):
            self.exporter(record)
        return self

    def spans(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self.memory.get_finished_spans() if span.name.endswith(name)]


def committed(walk: Walk, name: str = "t1") -> Iterator[Committed]:
    for seq, draft in enumerate(trade_drafts(walk.entries), 1):
        yield Committed.written(draft, seq=seq, stream=f"trade/{name}", stream_seq=seq)


def said(span: ReadableSpan, *names: str) -> list[Any]:
    return [(span.attributes or {}).get(f"fsm_arb.{name}") for name in names]


# ------------------------------------------------------------------ trades and orders


def test_a_trade_is_a_span_and_its_orders_are_children() -> None:
    """From the first record to the last, in the journal's time; orders from intent to end."""
    told = Told().take(matched())
    (trade,), (first, second) = told.spans("trade"), told.spans("order")
    assert (trade.start_time, trade.end_time, trade.parent) == (0, 3 * S, None)
    assert [(order.start_time, order.end_time) for order in (first, second)] == [(0, 0), (0, 3 * S)]
    for order in (first, second):
        assert order.parent is not None
        assert order.parent.span_id == trade.context.span_id
        assert order.context.trace_id == trade.context.trace_id
    assert said(trade, "trade_id", "status", "exposure", "orders") == ["t1", "success", "0", 2]
    assert said(second, "exchange", "client_order_id", "venue_order_id", "filled") == ["beta", "c1", "v1", "10"]
    assert [event.name for event in trade.events][-3:] == ["placed", "settled", "booked"]
    assert [(event.name, event.timestamp) for event in second.events] == [
        ("place_ended", S),
        ("observed", 2 * S),
        ("observed", 3 * S),
    ]
    assert {span.status.status_code for span in told.spans()} == {StatusCode.UNSET}


def test_a_remedy_is_linked_to_what_it_makes_up_for() -> None:
    """The order of its leg that was refused, which has status ERROR by its code alone."""
    told = Told().take(mended())
    by_number = {said(span, "order")[0]: span for span in told.spans("order")}
    assert [[link.context.span_id for link in by_number[n].links] for n in (0, 1)] == [[], []]
    assert [link.context.span_id for link in by_number[2].links] == [by_number[1].context.span_id]
    assert by_number[1].status.status_code is StatusCode.ERROR
    assert by_number[1].status.description == "insufficient_funds"


def test_a_disturbed_trade_has_a_further_child() -> None:
    """Its first span was handed over at its end, and stays as it is."""
    told = Told().take(mended())
    (trade,), (again,) = told.spans("trade"), told.spans("reopened")
    assert (trade.end_time, again.start_time, again.end_time) == (2 * S, 3 * S, 3 * S)
    assert again.parent is not None
    assert again.parent.span_id == trade.context.span_id
    assert [event.name for event in again.events] == ["disturbed", "external_fill", "settled", "booked"]
    assert said(again, "trade_id", "status") == ["t1", "success"]


def test_a_trade_that_met_a_wall_is_an_error_however_it_ends() -> None:
    """A person was called."""
    told = Told().take(halted())
    assert told.spans("trade") == []
    told.exporter.close()
    (trade,) = told.spans("trade")
    assert (trade.status.status_code, trade.status.description) == (StatusCode.ERROR, "halted: 0 remedies were tried")
    assert said(trade, "unfinished", "status", "exposure") == [True, "halted", "-10"]
    walk = halted()
    walk.by_hand(1, walk.trade.begun.sides[1], 10)
    (trade,) = Told().take(walk).spans("trade")
    assert (trade.status.status_code, *said(trade, "unfinished", "status")) == (StatusCode.ERROR, None, "success")


def test_what_has_not_ended_is_handed_over_as_unfinished() -> None:
    """Up to its last record; closing twice tells nothing twice."""
    told = Told().take(Walk().fills(0).later(5).ack(1, 3))
    told.exporter.close()
    told.exporter.close()
    assert [(*said(span, "unfinished", "filled"), span.end_time) for span in told.spans()] == [
        (None, "10", 0),
        (True, "3", 5 * S),
        (True, None, 5 * S),
    ]


def test_a_trade_whose_beginning_was_not_told_is_left_out() -> None:
    """Nobody could say what it is."""
    told = Told()
    for record in list(committed(matched()))[1:]:
        told.exporter(record)
    told.exporter.close()
    assert told.spans() == []


def test_a_record_that_contradicts_the_ones_before_ends_its_trade_and_no_other() -> None:
    """What was known is handed over; the error is for whoever handed the record in."""
    told = Told()
    good, bad = list(committed(matched(), "good")), list(committed(matched(), "bad"))
    for record in (good[0], *bad[:7]):
        told.exporter(record)
    with pytest.raises(MachineError):
        told.exporter(bad[9])
    foreign = Committed(**{**{n: getattr(bad[7], n) for n in NAMES}, "payload": '{"v":9,"fact":"x","body":{}}'})
    told.exporter(bad[8])
    with pytest.raises(JournalForeign):
        told.exporter(foreign)
    for record in good[1:]:
        told.exporter(record)
    assert [said(span, "trade_id", "unfinished") for span in told.spans("trade")] == [["bad", True], ["good", None]]


NAMES = ("seq", "stream", "stream_seq", "at_ns", "trigger", "before", "after")


def test_memory_is_let_go_of_with_the_trade() -> None:
    """Once its orders are watched no more; until then it may be disturbed."""
    told = Told().take(matched())
    assert list(told.exporter._trades) == ["t1"]
    assert Told().take(matched().end_watch()).exporter._trades == {}


# ------------------------------------------------------------------ whose spans they are


def test_the_providers_sampler_holds_and_its_own_ids_stay_its_own() -> None:
    """Other spans of the bot are named as ever."""
    assert Told(sampler=ALWAYS_OFF).take(matched()).spans() == []
    told = Told()
    with told.provider.get_tracer(otel.SCOPE).start_as_current_span("the bot's own"):
        told.take(matched())
    told.provider.get_tracer(otel.SCOPE).start_span("also the bot's own").end()
    assert len(told.spans("own")) == 2
    assert all(own.context.trace_id != spans.trace_id("t1") for own in told.spans("own"))
    assert told.spans("trade")[0].parent is None


def test_spans_hold_neither_words_nor_replies_of_a_venue() -> None:
    """Not of a refusal, not of a reading; secrets are in neither to begin with."""
    walk = Walk(remedy="complete").fills(0, raw={"secret": "HUSH"})
    walk.tell(PlaceEnded(now=walk.ns, order=1, outcome=Refused(code="no", message="HUSH", raw={"a": "HUSH"})))
    walk.later(1).look().later(1).fills(2)
    told = Told().take(walk)
    assert len(told.spans()) == 4
    assert "HUSH" not in otlp_json(list(told.spans()))


# ------------------------------------------------------------------ files


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JournalReader]:
    with JournalReader(a_round(tmp_path_factory.mktemp("kept") / "trades.db")) as reader:
        yield reader


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def spans_in(path: Path) -> list[dict[str, Any]]:
    return [span for line in lines(path) for span in line["resourceSpans"][0]["scopeSpans"][0]["spans"]]


def test_a_file_holds_what_a_running_exporter_tells(reader: JournalReader, tmp_path: Path) -> None:
    """Span for span, ids included, so that to export again changes nothing."""
    count = write_traces(reader, tmp_path / "t.jsonl")
    told = Told()
    for record in reader.records():
        assert record.stream.startswith(FOLLOWED)
        told.exporter(Committed.read(record))
    told.exporter.close()
    live = json.loads(otlp_json(list(told.spans())))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert spans_in(tmp_path / "t.jsonl") == live
    assert count == len(live) == 14  # four trades, one of them opened again, and nine orders


def test_a_file_is_otlp_json(reader: JournalReader, tmp_path: Path) -> None:
    """Ids in hexadecimal, times as text, kinds as numbers, one request a line."""
    write_traces(reader, tmp_path / "t.jsonl")
    (line,) = lines(tmp_path / "t.jsonl")
    resource = line["resourceSpans"][0]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "fsm_arb"}}]
    assert resource["scopeSpans"][0]["scope"] == {"name": "fsm_arb"}
    trade = next(each for each in spans_in(tmp_path / "t.jsonl") if each["name"] == "fsm_arb.trade")
    order = next(each for each in spans_in(tmp_path / "t.jsonl") if each["name"] == "fsm_arb.order")
    assert trade["traceId"] == f"{spans.trace_id('t1'):032x}"
    assert trade["spanId"] == order["parentSpanId"] == f"{spans.span_id('t1', spans.TRADE_SPAN):016x}"
    assert (trade["kind"], order["kind"], trade["endTimeUnixNano"]) == (1, 3, "3000000000")


def test_long_journals_are_written_some_spans_at_a_time(
    reader: JournalReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same spans, over several lines."""
    write_traces(reader, tmp_path / "one")
    monkeypatch.setattr(otel, "SPANS_A_LINE", 4)
    write_traces(reader, tmp_path / "many")
    assert len(lines(tmp_path / "many")) == 4
    assert spans_in(tmp_path / "many") == spans_in(tmp_path / "one")


def test_the_environment_changes_nothing_in_a_file(
    reader: JournalReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same journal gives the same file, whatever the bot's own tracing is set to."""
    write_traces(reader, tmp_path / "a")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "other")
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "1")
    write_traces(reader, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_trade_is_in_a_file_if_it_was_begun_in_the_window(tmp_path: Path) -> None:
    """Whole, or not at all."""
    path = keep(tmp_path / "j.db", {"t1": matched()})
    with JournalReader(path) as reader:
        assert [write_traces(reader, tmp_path / "t", window) for window in (Window(0, 1), Window(1))] == [3, 0]


# ------------------------------------------------------------------ a running executor


async def test_a_running_executor_is_traced(tmp_path: Path) -> None:
    """An exit is linked to its entry, and the file that is exported afterwards holds the same spans."""
    hall, told = Hall(None, tmp_path), Told()  # type: ignore[arg-type]
    async with hall.executor(venues=papers(), policy=quick(watch_after_done_s=0)) as executor:
        executor.subscribe(told.exporter)
        entered = await executor.execute_decision(hall.entry())
        left = await executor.execute_decision(hall.exit(entered))
    told.exporter.close()
    by_trade = {said(span, "trade_id")[0]: span for span in told.spans("trade")}
    (link,) = by_trade[left.trade_id].links
    assert link.context.span_id == by_trade[entered.trade_id].context.span_id
    assert link.context.trace_id == by_trade[entered.trade_id].context.trace_id
    with JournalReader(hall.path) as reader:
        write_traces(reader, tmp_path / "t")
    live = json.loads(otlp_json(list(told.spans())))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert spans_in(tmp_path / "t") == live
