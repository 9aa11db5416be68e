"""Traces, logs and metrics of a process, set up once.

Spans go to the collector named by OTEL_EXPORTER_OTLP_ENDPOINT and, in the embedded stack, as OTLP JSON lines to
`COBURG_TRACES/<service>.jsonl`. Logs are JSON on stderr with the trace id. Metrics are served by `/metrics`.
"""

import logging
import os
import sys
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
from opentelemetry.trace import Span

from libs.telemetry.rotating import RotatingFile

EXPORT_EVERY_MS = 500
TRACE_FILE_LIMIT = 32 * 1024 * 1024


def setup(service: str, traces: Path | None = None, log_format: str = "json") -> None:
    """Install providers and logging for this process; call once. `traces` is a folder for spans as files."""
    resource = Resource.create({"service.name": service, "service.namespace": "coburg"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(_WithoutQuery())
    if traces:
        file = RotatingFile(_trace_file(traces, service), TRACE_FILE_LIMIT)
        provider.add_span_processor(_batched(FileSpanExporter(stream=cast(IO[str], file))))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(_batched(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()]))
    _setup_logs(log_format)


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


def _with_trace(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
    return event


def _setup_logs(log_format: str) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _with_trace,
    ]
    console = log_format == "console"
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
