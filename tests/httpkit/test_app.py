"""The app around a service: limits, origins, docs, figures, and a start that waits for what is not there yet."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from cli import components
from cli.home import ROOT
from libs.httpkit import docs
from libs.servicekit.settings import Settings
from tests.servicekit.conftest import Probe, problem
from tests.stack import Stack, free_port_base, plain_environment
from tests.waiting import until


class Addresses(HTMLParser):
    """Every address that a page makes its reader's browser contact."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name in ("src", "href", "action") and value]


@pytest.mark.skipif(not (ROOT / docs.SWAGGER_ASSETS).is_dir(), reason="swagger-ui-dist is not installed")
def test_docs_contact_only_their_own_host(start: Probe) -> None:
    client = start()
    page = client.get("/docs")
    assert page.status_code == 200
    found = Addresses(page.text).found
    assert found
    for address in found:
        assert not urlsplit(address).netloc, f"/docs contacts {address}"
        assert client.get(urljoin("/docs", address)).status_code == 200
    assert "http://" not in page.text.replace("http://testserver", "")
    assert "https://" not in page.text


def test_more_requests_than_allowed_are_429(start: Probe) -> None:
    client = start(rate_limit="5/minute")
    answers = [client.get("/v1/notes") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    problem(answers[-1], 429)
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.get("/health/live").status_code == 200
    assert client.get("/metrics").status_code == 200


def preflight(client: Any, origin: str) -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "If-Match",
    }
    return client.options("/v1/notes/1", headers=headers)


def test_a_service_is_ready_once_it_is_prepared(streams: None, start: Probe) -> None:
    done = threading.Event()

    async def warm_up(_kit: Any) -> None:
        if not done.is_set():
            raise OSError("not yet")

    client = start(app={"preparations": [warm_up]})
    until(lambda: "broker" not in client.get("/health/ready").text)
    assert problem(client.get("/health/ready"), 503)["detail"].startswith("warm up")
    done.set()
    until(lambda: client.get("/health/ready").status_code == 200)


def test_only_listed_origins_may_call(start: Probe) -> None:
    client = start(cors_origins="https://portal.example, http://localhost:5173")
    for origin in ("https://portal.example", "http://localhost:5173"):
        assert preflight(client, origin).headers["Access-Control-Allow-Origin"] == origin
        answer = client.get("/v1/notes", headers={"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in preflight(client, "https://evil.example").headers
    stranger = client.get("/v1/notes", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_errors_can_be_read_by_listed_origins(start: Probe) -> None:
    """A front end on another origin has to see why it was refused."""
    client = start(cors_origins="https://portal.example", rate_limit="1/minute")
    headers = {"Origin": "https://portal.example"}
    client.get("/v1/notes", headers=headers)
    refused = client.get("/v1/notes", headers=headers)
    problem(refused, 429)
    assert refused.headers["Access-Control-Allow-Origin"] == "https://portal.example"


def test_no_origin_may_call_unless_listed(start: Probe) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(start(), "https://portal.example").headers


def test_the_reference_names_the_services_own_events(start: Probe) -> None:
    client = start()
    assert client.get("/v1/events").json() == []
    problem(client.get("/v1/events/offers.offer.published.v1"), 404)


def test_the_api_document_names_every_problem(start: Probe) -> None:
    document = start().get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = operation["responses"]["default"]["$ref"].rpartition("/")[2]
            problems = document["components"]["responses"][name]["content"]
            assert list(problems) == ["application/problem+json"], f"{method} {path}"
    referred = set(re.findall(r'#/components/schemas/([^"]+)"', json.dumps(document)))
    assert "ProblemDetails" in referred
    assert referred <= document["components"]["schemas"].keys()


def test_figures_are_prometheus_text(stack_of_offers: Stack) -> None:
    base = stack_of_offers.url("offers")
    httpx2.get(f"{base}/v1/boards")
    answer = httpx2.get(f"{base}/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"outbox_backlog", "outbox_oldest_seconds", "outbox_sent", "bus_connected"} <= names
    assert any("http" in name and "duration" in name for name in names), "latency per route"


def test_logs_are_json_lines(stack_of_offers: Stack) -> None:
    lines = [line for line in stack_of_offers.log("offers").splitlines() if line.strip()]
    assert lines
    assert all("event" in json.loads(line) for line in lines)


@pytest.fixture(scope="module")
def stack_of_offers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Stack(tmp_path_factory.mktemp("app")) as stack:
        stack.start("nats").provision()
        stack.launch("offers")
        yield stack


def test_a_service_ends_cleanly(stack_of_offers: Stack) -> None:
    child = stack_of_offers.children.pop("offers")
    began = time.monotonic()
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) in (0, -signal.SIGTERM)
    assert time.monotonic() - began < 5


def test_a_service_waits_for_what_it_needs_and_ends_without_it(tmp_path: Path) -> None:
    """Started before its broker it lives, says what is missing, is ready once all is there, and can end alone."""
    with Stack(tmp_path) as stack:
        components.prepare(stack.home)
        component = stack.component("offers")
        with (tmp_path / "log").open("wb") as log:
            child = subprocess.Popen(stdout=log, **components.launch(component))
            stack.children["offers"] = child
        until(lambda: status(component.url, "/health/live") == 200)
        assert status(component.url, "/health/ready") == 503
        assert "broker" in httpx2.get(f"{component.url}/health/ready").json()["detail"]
        stack.launch("nats")
        stack.provision()
        until(lambda: status(component.url, "/health/ready") == 200)
        stack.kill9("nats")
        child.send_signal(signal.SIGTERM)
        assert child.wait(12) in (0, -signal.SIGTERM)


def status(url: str, path: str) -> int | None:
    try:
        return httpx2.get(f"{url}{path}", timeout=5).status_code
    except httpx2.TransportError:
        return None


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COBURG_MAX_BODY_BYTES", "many")
    with pytest.raises(ValidationError, match="max_body_bytes"):
        Settings.load("offers")


@pytest.mark.parametrize("wrong", ["raise ValueError('no such town')", "op.execute('SELEKT 1')"])
def test_a_migration_that_is_wrong_is_said_and_ends_the_process(tmp_path: Path, wrong: str) -> None:
    """The one is a bug of ours, the other the database's own word for one; neither is an outage."""
    (tmp_path / "0001_wrong.py").write_text(
        "from alembic import op\nrevision, down_revision, branch_labels, depends_on = 'wrong', None, None, None\n"
        f"def upgrade():\n    {wrong}\n"
    )
    port = str(free_port_base())
    words = [sys.executable, "-m", "libs.serving", "tests.httpkit.failing:app", "--port", port]
    environ = plain_environment() | {"COBURG_HOME": str(tmp_path), "COBURG_PROBE_MIGRATIONS": str(tmp_path)}
    child = subprocess.Popen(words, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)

    def told() -> str:
        with suppress(httpx2.TransportError):
            return str(httpx2.get(f"http://127.0.0.1:{port}/health/ready").json().get("detail", ""))
        return ""

    until(lambda: "start (" in told())
    _, log = child.communicate(timeout=20)
    assert child.returncode == 1
    assert "the service cannot start" in log
    assert "no such town" in log or "SELEKT" in log
