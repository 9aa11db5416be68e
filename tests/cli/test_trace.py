"""Traces from files that the real exporter wrote."""

from io import StringIO
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode, Tracer, set_span_in_context
from rich.console import Console

from cli.errors import Trouble
from cli.home import Home
from cli.trace import show


def tracer(folder: Path, service: str) -> Tracer:
    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(folder / f"{service}.jsonl")))
    return provider.get_tracer("test")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A write that reached search and failed there, and a later read."""
    home = Home.of({"COBURG_HOME": str(tmp_path)})
    home.traces.mkdir()
    offers, search = tracer(home.traces, "offers"), tracer(home.traces, "search")
    post = offers.start_span(
        "POST /v1/offers", kind=SpanKind.SERVER, attributes={"http.request.method": "POST"}
    )
    publish = offers.start_span("publish", set_span_in_context(post), kind=SpanKind.PRODUCER)
    link = Link(offers.start_span("elsewhere").get_span_context())
    index = search.start_span(
        "index offer", set_span_in_context(publish), kind=SpanKind.CONSUMER, links=[link]
    )
    index.record_exception(ValueError("no board"))
    index.set_status(StatusCode.ERROR, "no board")
    for span in (index, publish, post):
        span.end()
    offers.start_span("GET /v1/offers", attributes={"http.request.method": "GET"}).end()
    return home


def printed(home: Home, which: str) -> list[str]:
    console = Console(record=True, width=160, file=StringIO())
    show(home, which, console)
    return console.export_text().splitlines()


def test_last_is_the_newest_write_and_crosses_services(home: Home) -> None:
    trace, _, post, publish, index = printed(home, "last")

    assert trace.startswith("trace ")
    assert post.split()[:4] == ["offers", "POST", "/v1/offers", "server"]
    assert "  publish" in publish
    assert "█" in post
    assert "search" in index
    assert "✗ no board" in index
    assert "⇠" in index


def test_the_beginning_of_an_id_is_enough(home: Home) -> None:
    trace = printed(home, "last")[0].removeprefix("trace ").strip()

    assert trace in printed(home, trace[:8])[0]


def test_an_unknown_id_is_explained(home: Home) -> None:
    with pytest.raises(Trouble, match="No trace begins with zzz"):
        printed(home, "zzz")


def test_a_line_that_is_still_being_written_is_left_out(home: Home) -> None:
    with (home.traces / "offers.jsonl").open("a") as file:
        file.write('{"resourceSpans": [{"resou')

    assert len(printed(home, "last")) == 5


def test_without_traces_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="no traces yet"):
        printed(Home.of({"COBURG_HOME": str(tmp_path)}), "last")
