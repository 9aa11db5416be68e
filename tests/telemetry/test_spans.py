"""Traces: an event's publication hangs below the request that caused it, its handling below the publication."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from libs.servicekit.db import now
from libs.telemetry import spans

SUBJECT = "city.offers.offer.published.v1.0190"
NAME = "city.offers.offer.published.v1"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """Sees every span of this process while a test runs."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


def finished(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def test_one_trace_from_the_request_to_the_effect(exporter: InMemorySpanExporter) -> None:
    with trace.get_tracer("test").start_as_current_span("request"):
        stored = spans.traceparent()
    written = now() - timedelta(seconds=2)
    with spans.publishing(SUBJECT, stored, written) as sent:
        assert sent is not None
    handling = spans.consuming(SUBJECT, {"traceparent": sent}, "search")
    spans.client("index", handling, time.time_ns() - 1000, time.time_ns(), documents=3)
    handling.end()
    found = finished(exporter)
    request, publish = found["request"], found[f"publish {NAME}"]
    process, call = found[f"process {NAME}"], found["index"]
    assert parent_of(publish) == id_of(request)
    assert parent_of(process) == id_of(publish)
    assert parent_of(call) == id_of(process)
    assert len({span.get_span_context().trace_id for span in found.values()}) == 1  # type: ignore[union-attr]
    assert [s.kind for s in (publish, process, call)] == [
        SpanKind.PRODUCER,
        SpanKind.CONSUMER,
        SpanKind.CLIENT,
    ]
    assert publish.end_time is not None
    assert publish.start_time is not None
    assert publish.end_time - publish.start_time >= 2e9, "the wait in the outbox should show"
    assert (process.attributes or {})["messaging.consumer.group.name"] == "search"


def test_an_event_without_a_trace_gets_none(exporter: InMemorySpanExporter) -> None:
    with spans.publishing(SUBJECT, None, now()) as sent:
        assert sent is None
    assert not exporter.get_finished_spans()
    spans.consuming(SUBJECT, None, "search").end()
    (alone,) = exporter.get_finished_spans()
    assert alone.parent is None


def test_a_quiet_trace_keeps_its_id_and_records_nothing(exporter: InMemorySpanExporter) -> None:
    with trace.get_tracer("test").start_as_current_span("request"):
        stored = spans.traceparent()
    quiet = spans.quiet(stored)
    assert stored is not None
    assert quiet is not None
    assert quiet.split("-")[1] == stored.split("-")[1]
    exporter.clear()
    with spans.publishing(SUBJECT, quiet, now()) as sent:
        assert sent == quiet
    spans.consuming(SUBJECT, {"traceparent": quiet}, "search").end()
    assert not exporter.get_finished_spans()
    assert spans.quiet(None) is None


def test_flags_are_bits(exporter: InMemorySpanExporter) -> None:
    """W3C trace context level 2 sets a second bit for random ids; such a trace is sampled as well."""
    with spans.publishing(SUBJECT, f"00-{'a' * 32}-{'b' * 16}-03", now()):
        pass
    assert f"publish {NAME}" in finished(exporter)


@pytest.mark.parametrize("broken", ["", "x", "00-0-0-01", f"00-{'0' * 32}-{'0' * 16}-01", "ü"])
def test_a_broken_traceparent_starts_a_new_trace(broken: str, exporter: InMemorySpanExporter) -> None:
    spans.consuming(SUBJECT, {"traceparent": broken}, "search").end()
    (alone,) = exporter.get_finished_spans()
    assert alone.parent is None
