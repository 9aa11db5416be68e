"""Traces, logs and metrics of a service.

Spans go to the collector named by OTEL_EXPORTER_OTLP_ENDPOINT and, in the embedded stack, as OTLP JSON lines to
`COBURG_TRACES/<service>.jsonl`. Logs are JSON on stderr with the trace id. Metrics are served by `/metrics`.
"""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, cast

import structlog
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libs.servicekit.rotating import RotatingFile
from libs.servicekit.settings import Settings

EXPORT_EVERY_MS = 500
TRACE_FILE_LIMIT = 32 * 1024 * 1024
UNSAMPLED = "00"

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("servicekit")


def setup(settings: Settings) -> None:
    """Install providers and logging for this process; call once."""
    resource = Resource.create({"service.name": settings.service, "service.namespace": "coburg"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(_WithoutQuery())
    if settings.traces:
        file = RotatingFile(_trace_file(settings.traces, settings.service), TRACE_FILE_LIMIT)
        provider.add_span_processor(_batched(FileSpanExporter(stream=cast(IO[str], file))))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(_batched(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()]))
    _setup_logs(settings)


class _WithoutQuery(SpanProcessor):
    """What people type, and the tokens of links, stand in queries: no span has them."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Called before any exporter sees the span."""
        if "url.query" in getattr(span, "attributes", ()):
            span.set_attribute("url.query", "…")


def _batched(exporter: FileSpanExporter | OTLPSpanExporter) -> BatchSpanProcessor:
    return BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MS, max_queue_size=16_384)


def _trace_file(folder: Path, service: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{service}.jsonl"


def flush() -> None:
    """Write out the spans that still wait; called when the service stops."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(2000)


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


def _with_trace(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
    return event


def _setup_logs(settings: Settings) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _with_trace,
    ]
    console = settings.log_format == "console"
    renderer = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for own_format in ("uvicorn", "uvicorn.error"):
        logging.getLogger(own_format).handlers.clear()
        logging.getLogger(own_format).propagate = True
    for chatty in ("httpx2", "httpcore2", "alembic", "faststream", "nats"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
