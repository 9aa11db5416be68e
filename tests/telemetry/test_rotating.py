"""Files of lines with a bound, also while they are written."""

import json
from pathlib import Path
from typing import IO, cast

from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from cli import spans
from libs.telemetry.rotating import RotatingFile


def test_traces_have_a_bound_while_they_are_written_and_the_newest_are_there(tmp_path: Path) -> None:
    provider = TracerProvider()
    file = RotatingFile(tmp_path / "offers.jsonl", 20_000)
    provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(stream=cast(IO[str], file))))
    for number in range(500):
        provider.get_tracer("test").start_span(f"number {number}").end()
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 42_000
    names = [span.name for span in spans.read(tmp_path)]
    assert "number 499" in names
    assert 30 < len(names) < 500


def test_a_started_file_goes_on_and_an_absent_folder_loses_lines_only(tmp_path: Path) -> None:
    for line in ("one", "two"):
        file = RotatingFile(tmp_path / "x.jsonl", 1000)
        file.write(json.dumps(line) + "\n")
        file.close()
    assert (tmp_path / "x.jsonl").read_text() == '"one"\n"two"\n'
    lost = RotatingFile(tmp_path / "absent" / "x.jsonl", 1000)
    assert lost.write("a\n") == 2
    (tmp_path / "absent").mkdir()
    lost.write("b\n")
    assert (tmp_path / "absent" / "x.jsonl").read_text() == "b\n"
