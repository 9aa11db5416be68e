"""What answers say of themselves, what is counted, and who may see a process's figures."""

import pytest
from fastapi.testclient import TestClient

from libs.httpkit.headers import TOKENS
from tests.servicekit.conftest import Probe


def from_(client: TestClient, address: str) -> TestClient:
    return TestClient(client.app, client=(address, 1), raise_server_exceptions=False)


def test_no_type_is_guessed_and_nothing_personal_is_stored(start: Probe) -> None:
    client = start()
    public = client.get("/v1/notes")
    assert public.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cache-Control" not in public.headers
    assert set(TOKENS) <= set(public.headers["Vary"].split(", "))
    for answer in (
        *(client.get("/v1/notes", headers={name: "Bearer a"}) for name in TOKENS),
        client.post("/v1/notes", json={"text": "a"}),
        client.post("/v1/notes", json={"text": 1}),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_figures_are_not_for_the_public(start: Probe) -> None:
    client = start(metrics_token="a-long-token")
    token = {"Authorization": "Bearer a-long-token"}
    assert from_(client, "127.0.0.1").get("/metrics").status_code == 200
    assert from_(client, "::1").get("/metrics").status_code == 200
    assert (
        from_(client, "127.0.0.1").get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 401
    )
    public = from_(client, "203.0.113.9")
    assert public.get("/metrics").status_code == 401
    assert public.get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 401
    assert public.get("/metrics", headers=token).status_code == 200
    closed = from_(start(), "203.0.113.9")
    assert closed.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_what_costs_more_counts_for_more(start: Probe) -> None:
    client = start(rate_limit="10/minute", app={"costs": {"/v1/events": 4}})
    assert [client.get("/v1/events").status_code for _ in range(2)] == [200, 200]
    assert [client.get("/v1/notes").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/health/ready").status_code == 429
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("typed", ["Mia+Muster", "token=geheim"])
def test_a_span_has_no_query(start: Probe, typed: str) -> None:
    from opentelemetry import trace

    seen: list[str] = []

    class Seen:
        def on_start(self, span: object, parent_context: object = None) -> None:
            pass

        def _on_ending(self, span: object) -> None:
            pass

        def on_end(self, span: object) -> None:
            seen.append(str(getattr(span, "attributes", {})) + str(getattr(span, "name", "")))

        def shutdown(self) -> None:
            pass

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

    client = start()
    trace.get_tracer_provider().add_span_processor(Seen())  # type: ignore[attr-defined]
    client.get(f"/v1/notes?q={typed}")
    assert any("/v1/notes" in span for span in seen)
    assert not any("Mia" in span or "geheim" in span for span in seen)
