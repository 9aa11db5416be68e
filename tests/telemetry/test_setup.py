"""A process that was set up: its spans lie in a file without what people typed, its log lines name the trace."""

import json
import subprocess
import sys
from pathlib import Path

from cli.home import ROOT
from libs.telemetry import setup
from tests.stack import plain_environment

PROGRAM = f"""
import sys
from pathlib import Path
import structlog
from opentelemetry import trace
from {setup.__name__} import flush, setup
setup("probe", Path(sys.argv[1]))
with trace.get_tracer("test").start_as_current_span("asked", attributes={{"url.query": "q=my+secret"}}):
    structlog.get_logger().info("heard", thing=7)
flush()
"""


def test_spans_are_kept_without_queries_and_logs_name_their_trace(tmp_path: Path) -> None:
    words = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(
        words, cwd=ROOT, env=plain_environment(), capture_output=True, text=True, check=True
    )
    (line,) = [json.loads(line) for line in done.stderr.splitlines() if "heard" in line]
    spans = (tmp_path / "probe.jsonl").read_text(encoding="utf-8")
    assert (line["event"], line["thing"], line["level"]) == ("heard", 7, "info")
    assert "asked" in spans
    assert "secret" not in spans
    found = json.loads(spans.splitlines()[0])["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert found["traceId"] == line["trace_id"]
