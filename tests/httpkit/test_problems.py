"""Every error is a problem document that helps its reader, and tells nobody what is none of their business."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from libs.contracts.card import Card
from libs.contracts.offers import ProviderChanged
from libs.httpkit import problem_handlers
from libs.httpkit.transactions import Transaction
from libs.httpkit.words import Words
from libs.servicekit import outbox
from tests.servicekit.conftest import Probe, problem, settings
from tests.servicekit.probe.service import SECRET
from tests.servicekit.test_subscriptions import admit, close
from tests.stack import new_database
from tests.waiting import until


@pytest.fixture
def one(start: Probe) -> TestClient:
    """The probe on one kind of database: these answers do not come from it."""
    return start(max_body_bytes=1000)


def test_what_is_not_there(one: TestClient) -> None:
    assert problem(one.get("/nowhere"), 404)["instance"] == "/nowhere"
    problem(one.get("/v1/events/none.such"), 404)


def test_what_cannot_be_done_there(one: TestClient) -> None:
    answer = one.patch("/v1/notes")
    problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) & {"GET", "POST"}


def test_what_is_no_json(one: TestClient) -> None:
    for body in (b"{", b"", b"\xff", b"nul"):
        answer = one.post("/v1/notes", content=body, headers={"Content-Type": "application/json"})
        problem(answer, 422 if body == b"" else 400)


def test_json_of_another_type_is_not_guessed(one: TestClient) -> None:
    answer = one.post("/v1/notes", content=b'{"text": "a"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code in (415, 422)
    problem(answer, answer.status_code)


def test_a_field_that_does_not_fit_is_named(one: TestClient) -> None:
    told = problem(one.post("/v1/notes", json={"text": "", "more": 1}), 422)
    assert {error["field"] for error in told["errors"]} == {"text", "more"}
    assert (
        problem(one.put("/v1/notes/x", json={"text": "a"}, headers={"If-Match": '"1"'}), 422)["errors"][0][
            "field"
        ]
        == "note_id"
    )


@pytest.mark.parametrize("path", ["/v1/notes", "/v1/raw"])
def test_a_body_too_large_is_refused(path: str, one: TestClient) -> None:
    problem(one.post(path, content=b'{"text": "' + b"x" * 2000), 413)

    problem(one.post(path, content=iter([b"x" * 100] * 20)), 413)


def test_a_body_as_large_as_allowed_is_taken(one: TestClient) -> None:
    assert one.post("/v1/raw", content=b"x" * 1000).json() == 1000


def test_a_bug_tells_its_trace_and_nothing_else(one: TestClient) -> None:
    answer = one.get("/v1/bug")
    told = problem(answer, 500)
    assert SECRET not in answer.text
    assert "Error" not in told["detail"]
    assert "trace" in told["detail"]


def test_a_database_that_is_away_is_503_until_it_is_back(
    streams: None, start: Probe, postgres_url: str
) -> None:
    with new_database(postgres_url) as url:
        client = start(url)
        until(lambda: client.get("/health/ready").status_code == 200)
        close(postgres_url, url)
        answer = client.get("/v1/notes")
        problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        problem(client.post("/v1/notes", json={"text": "a"}), 503)
        assert "database" in problem(client.get("/health/ready"), 503)["detail"]
        assert client.get("/health/live").status_code == 200
        admit(postgres_url, url)
        assert client.post("/v1/notes", json={"text": "a"}).status_code == 201
        assert client.get("/health/ready").status_code == 200


def test_a_fact_too_large_for_the_bus_is_refused_with_the_field(client: TestClient) -> None:
    def too_large(session: Transaction) -> None:
        texts = {f"a{letter}": "x" * 50_000 for letter in "abcdefghijkl"}
        card = Card.model_construct(kind="offer", title={"de": "a"}, text=texts)
        outbox.add(
            session,
            ProviderChanged(title={"de": "a"}).model_copy(update={"card": card}),
            thing_id="a",
            version=1,
        )

    client.app.add_api_route("/v1/large", too_large, methods=["POST"])  # type: ignore[attr-defined]
    told = problem(client.post("/v1/large"), 422)
    assert [error["field"] for error in told["errors"]] == ["text"]
    assert "524,288" in told["errors"][0]["reason"]


def test_an_app_that_the_factory_did_not_make_answers_so_too() -> None:
    app = FastAPI()
    problem_handlers.install(app, Words(settings()))
    asked = TestClient(app).get("/nowhere", headers={"Accept-Language": "de"})
    assert problem(asked, 404)["code"] == "not-found"
