"""Nothing that was typed or shown stands in a log, a span or a figure, whichever route it was sent to."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest

from tests.conformance.access import ANONYMOUS
from tests.conformance.app import App, OfOneService

TYPED = "Zwiebelkuchen4711"
QUERY = dict.fromkeys(("q", "text", "search", "after", "address"), TYPED)
BODY = {
    "title": {"de": TYPED},
    "text": TYPED,
    "address": f"{TYPED}@example.org",
    "recipient_id": TYPED,
    "form": {"child": TYPED},
}
SHOWN = {"Link-Token": TYPED, "Recipient-Token": TYPED, "Idempotency-Key": TYPED}


class Privacy(OfOneService):
    """What operators see of a service."""

    def test_nothing_typed_is_seen_by_operators(self, app: App) -> None:
        with observed() as (lines, spans):
            for route, callers in app.access.routes.items():
                caller = next((one for one in ("editor", "operator") if one in callers), ANONYMOUS)
                query = QUERY | dict(app.access.queries.get(route[1], {}))
                more = {} if route[0] in ("GET", "DELETE") else {"json": BODY}
                app.ask(route, caller, params=query, headers=SHOWN, **more)
        assert spans.get_finished_spans()
        seen = [*lines, *(span.to_json() for span in spans.get_finished_spans())]
        assert [line for line in seen if TYPED in line] == []
        assert TYPED not in generate_latest().decode()


@contextmanager
def observed() -> Iterator[tuple[list[str], InMemorySpanExporter]]:
    """Every line and span of this process meanwhile."""
    lines: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.msg} {record.args} {logging.Formatter().format(record)}")

    exporter, handler = InMemorySpanExporter(), Listening()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    logging.getLogger().addHandler(handler)
    try:
        yield lines, exporter
    finally:
        logging.getLogger().removeHandler(handler)
        exporter.shutdown()
