"""The spans around an event, from the transaction that tells it to its handling, and the `traceparent` that ties them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

UNSAMPLED = "00"

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("servicekit")


def traceparent() -> str | None:
    """The W3C `traceparent` of the current span; None outside of one."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def quiet(parent: str | None) -> str | None:
    """The same trace, but nothing further of it is recorded: one span a row would drown a bulk job's trace."""
    return parent and f"{parent[:-2]}{UNSAMPLED}"


def sampled(parent: str | None) -> bool:
    """Whether spans under this `traceparent` are recorded; its flags are bits, and sampling is the first."""
    return parent is not None and int(parent[-2:], 16) & 1 == 1


def context_of(parent: str | None) -> Context | None:
    """The context a stored or received `traceparent` speaks of; None when there is none to continue."""
    return _propagator.extract({"traceparent": parent}) if parent else None


@contextmanager
def publishing(subject: str, parent: str | None, since: datetime) -> Iterator[str | None]:
    """Span around handing an event to the broker; yields the `traceparent` to send with it.

    The span starts when the event was written, so that it shows how long the event waited.
    """
    if not sampled(parent):
        yield parent
        return
    attributes = {"messaging.system": "nats", "messaging.destination.name": _template(subject)}
    start = int(since.timestamp() * 1e9)
    span = _tracer.start_span(
        f"publish {_template(subject)}", context_of(parent), SpanKind.PRODUCER, attributes, start_time=start
    )
    with trace.use_span(span, end_on_exit=True):
        yield traceparent()


def consuming(subject: str, headers: Mapping[str, str] | None, consumer: str) -> Span:
    """Start the span of handling one delivered event, as a child of its publication; the caller ends it."""
    attributes = {"messaging.system": "nats", "messaging.consumer.group.name": consumer}
    parent = context_of((headers or {}).get("traceparent"))
    return _tracer.start_span(f"process {_template(subject)}", parent, SpanKind.CONSUMER, attributes)


def client(name: str, parent: Span, start: int, end: int, **attributes: str | int) -> None:
    """Record a call to another component that is over: `start` and `end` in nanoseconds since the epoch."""
    context = trace.set_span_in_context(parent)
    _tracer.start_span(name, context, SpanKind.CLIENT, attributes, start_time=start).end(end)


def _template(subject: str) -> str:
    # The thing's id would make every span name unique.
    return subject.rpartition(".")[0] if subject.count(".") > 4 else subject
