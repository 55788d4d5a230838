"""Trades as OpenTelemetry spans. The only importer of its SDK, which comes with the extra `otel`.

A trade is a span, from its first record to DONE; its orders are children, each
from its intent to its end, a remedy linked to the orders it makes up for.
Moves of the machine are events. A trade that met a wall has status ERROR, also
if it ended well later: a person was called. A trade that is disturbed after
its end has a further child from there to its next end, since a span that was
handed over cannot be taken back.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from attrs import define, field
from google.protobuf.json_format import MessageToDict
from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from fsm_arb.audit.summary import no_ids
from fsm_arb.committed import FOLLOWED, Committed
from fsm_arb.export import spans as words
from fsm_arb.export.moments import ALWAYS
from fsm_arb.machines.trade import TradeState
from fsm_arb.memory import Entry, Memory
from fsm_arb.messages import Begun, Intended, Moved
from fsm_arb.orders import Lifecycle

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from fsm_arb.export.moments import Window
    from fsm_arb.journal.reader import JournalReader
    from fsm_arb.orders import Order

SCOPE = "fsm_arb"
SPANS_A_LINE = 64  # of one request; what is held in memory
LIMITS = SpanLimits(max_events=10_000, max_links=1_000)  # a trade may be halted for days


class _Ids(IdGenerator):
    """Gives the ids that were set just before."""

    def __init__(self) -> None:
        self.trace = self.span = 1

    def generate_trace_id(self) -> int:
        return self.trace

    def generate_span_id(self) -> int:
        return self.span


@define(eq=False)
class _Telling:
    """One trade as far as it was told."""

    memory: Memory
    root: api.SpanContext
    span: api.Span | None  # the one that is open: the trade's, or that of its being open again
    at_ns: int
    reopened: int = 0
    orders: dict[int, api.Span] = field(factory=dict)  # open ones, by their number
    order_contexts: dict[int, api.SpanContext] = field(factory=dict)


class TraceExporter:
    """Makes spans of records: hand it to ``executor.subscribe(TraceExporter(provider))``, or call it with each.

    Spans are handed to the provider's processors as their trades and orders
    end. A trade whose beginning was not told is left out; subscribe with
    ``after=0``, or before the first decision. Call `close` at the end.

    Args:
        provider: Where the spans go. Its sampler and limits hold; ids are those of `fsm_arb.export.spans`.
        window: Only trades that were begun in it.
    """

    def __init__(self, provider: TracerProvider, window: Window = ALWAYS) -> None:
        self._tracer = provider.get_tracer(SCOPE)
        self._ids = _Ids()
        self._window = window
        self._trades: dict[str, _Telling] = {}

    def __call__(self, record: Committed) -> None:
        """Take the next record of a trade or a position.

        Raises:
            JournalForeign: Its payload cannot be read.
            MachineError: It does not follow from the ones before.
        """
        if record.trade_id is None:
            self._link(record)
            return
        entry = Entry(record.at_ns, record.trigger, record.before, record.after, record.fact)
        telling = self._trades.get(record.trade_id)
        if isinstance(entry.fact, Begun):
            if self._window.holds(record.at_ns):
                self._trades[record.trade_id] = self._begin(record.trade_id, entry)
        elif telling is not None:
            try:
                self._tell(telling, entry)
            except BaseException:
                del self._trades[record.trade_id]  # what follows cannot be told either
                self._end_all(telling)
                raise
            if telling.memory.finished:
                del self._trades[record.trade_id]

    def close(self) -> None:
        """End the spans of trades that have not ended, where their last record stands, and say so in them."""
        for telling in self._trades.values():
            self._end_all(telling)
        self._trades.clear()

    # -------------------------------------------------------------- one record

    def _begin(self, trade_id: str, entry: Entry) -> _Telling:
        memory = Memory.fold(trade_id, [entry], no_ids)
        span = self._start(trade_id, words.TRADE_SPAN, entry.at_ns)
        span.set_attributes(words.beginning(memory))
        return _Telling(memory, span.get_span_context(), span, entry.at_ns)

    def _tell(self, telling: _Telling, entry: Entry) -> None:
        memory, before = telling.memory, telling.memory.orders
        memory.remember(entry)
        telling.at_ns = entry.at_ns
        if isinstance(entry.fact, Moved) and telling.span is None:
            self._reopen(telling, entry)
        if isinstance(entry.fact, Intended):
            for order in memory.orders[len(before) :]:
                self._start_order(telling, order, entry.at_ns)
        for number, said in words.order_events(before, entry):
            if number in telling.orders:
                telling.orders[number].add_event(entry.trigger, said, entry.at_ns)
        self._end_orders(telling, entry.at_ns)
        if telling.span is not None:
            self._note(telling, telling.span, entry)

    def _note(self, telling: _Telling, span: api.Span, entry: Entry) -> None:
        said = words.trade_event(telling.memory, entry)
        if said is not None:
            span.add_event(entry.trigger, said, entry.at_ns)
        if entry.after == TradeState.HALTED and isinstance(entry.fact, Moved):
            choice = entry.fact.choice
            span.set_status(api.StatusCode.ERROR, f"halted: {choice.reason}" if choice else "halted")
        if telling.memory.done and isinstance(entry.fact, Moved):
            span.set_attributes(words.ending(telling.memory))
            span.end(entry.at_ns)
            telling.span = None

    def _reopen(self, telling: _Telling, entry: Entry) -> None:
        telling.reopened += 1
        trade_id = telling.memory.trade_id
        span = self._start(trade_id, words.REOPENED_SPAN, entry.at_ns, telling.reopened, parent=telling.root)
        span.set_attributes(words.beginning(telling.memory))
        telling.span = span

    def _start_order(self, telling: _Telling, order: Order, at_ns: int) -> None:
        memory, number = telling.memory, order.intent.index
        mended = [telling.order_contexts[each] for each in words.mended_by(memory, order)]
        parent = telling.root if telling.span is None else telling.span.get_span_context()
        span = self._start(memory.trade_id, words.ORDER_SPAN, at_ns, number, parent=parent, links=mended)
        span.set_attributes(words.order_beginning(memory, order))
        telling.orders[number], telling.order_contexts[number] = span, span.get_span_context()

    def _end_orders(self, telling: _Telling, at_ns: int) -> None:
        for number in [number for number in telling.orders if not telling.memory.orders[number].live]:
            order, span = telling.memory.orders[number], telling.orders.pop(number)
            span.set_attributes(words.order_ending(order))
            if order.lifecycle is Lifecycle.DEAD:
                span.set_status(api.StatusCode.ERROR, order.refusal.partition(":")[0])
            span.end(at_ns)

    def _end_all(self, telling: _Telling) -> None:
        for number, span in telling.orders.items():
            span.set_attributes(
                {**words.order_ending(telling.memory.orders[number]), words.PREFIX + "unfinished": True}
            )
            span.end(telling.at_ns)
        if telling.span is not None:
            telling.span.set_attributes({**words.ending(telling.memory), words.PREFIX + "unfinished": True})
            telling.span.end(telling.at_ns)
        telling.orders.clear()
        telling.span = None

    def _link(self, record: Committed) -> None:
        """Link an exit to the entry whose position it closes, which the position alone names."""
        if record.trigger != "exit_started":
            return
        fact = record.fact
        telling, entry_id = self._trades.get(fact.trade_id), fact.position.entry_trade_id
        if telling is not None and telling.span is not None:
            telling.span.add_link(_context(entry_id, words.TRADE_SPAN))

    def _start(
        self,
        trade_id: str,
        name: str,
        at_ns: int,
        number: int = 0,
        *,
        parent: api.SpanContext | None = None,
        links: list[api.SpanContext] | None = None,
    ) -> api.Span:
        # Whatever span the bot has open itself is none of ours.
        around = Context() if parent is None else api.set_span_in_context(api.NonRecordingSpan(parent), Context())
        self._ids.trace, self._ids.span = words.trace_id(trade_id), words.span_id(trade_id, name, number)
        tracer: Any = self._tracer  # the SDK's own
        before, tracer.id_generator = getattr(tracer, "id_generator", None), self._ids
        try:
            return self._tracer.start_span(
                name,
                context=around,
                kind=api.SpanKind.CLIENT if name == words.ORDER_SPAN else api.SpanKind.INTERNAL,
                links=[api.Link(each) for each in links or ()],
                start_time=at_ns,
            )
        finally:
            tracer.id_generator = before


def _context(trade_id: str, name: str) -> api.SpanContext:
    return api.SpanContext(
        trace_id=words.trace_id(trade_id),
        span_id=words.span_id(trade_id, name),
        is_remote=False,
        trace_flags=api.TraceFlags(api.TraceFlags.SAMPLED),
    )


# ------------------------------------------------------------------ a file


class _Kept(SpanProcessor):
    """Keeps spans as they end."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def write_traces(reader: JournalReader, path: Path, window: Window = ALWAYS) -> int:
    """Write the trades of a journal as OTLP JSON, one export request a line; return how many spans.

    Raises:
        JournalError: The journal cannot be read, or was altered.
        MachineError: A trade's records contradict the table.
        OSError: The file cannot be written.
    """
    kept, count = _Kept(), 0
    # Nothing of the environment: the same journal gives the same file.
    provider = TracerProvider(
        sampler=ALWAYS_ON, resource=Resource({"service.name": SCOPE}), shutdown_on_exit=False, span_limits=LIMITS
    )
    provider.add_span_processor(kept)
    exporter = TraceExporter(provider, window)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in reader.records():
            if record.stream.startswith(FOLLOWED):
                exporter(Committed.read(record))
            if len(kept.spans) >= SPANS_A_LINE:
                count += len(kept.spans)
                file.write(otlp_json(kept.spans) + "\n")
                kept.spans.clear()
        exporter.close()
        if kept.spans:
            count += len(kept.spans)
            file.write(otlp_json(kept.spans) + "\n")
    return count


def otlp_json(spans: list[ReadableSpan]) -> str:
    """Return spans as one export request in OTLP's JSON: protobuf's, save that ids are hexadecimal."""
    request = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for named in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in named:
                            named[key] = base64.b64decode(named[key]).hex()
    return json.dumps(request, ensure_ascii=False, separators=(",", ":"))
