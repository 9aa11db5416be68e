"""The HTTP edge: a request's effect happens once, on the version its caller saw, with clean text, in pages."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from libs.httpkit.pagination import Page
from libs.servicekit.db import now
from libs.servicekit.errors import Invalid
from libs.servicekit.kit import Kit
from libs.servicekit.tables import KEPT, idempotency
from tests.servicekit.conftest import Probe, bearer, problem


@pytest.fixture
def one(start: Probe) -> TestClient:
    """The probe on one kind of database: what is refused at the edge never reaches it."""
    return start()


def count(client: TestClient) -> int:
    return len(client.get("/v1/notes", params={"limit": 200}).json()["items"])


def post(client: TestClient, text: str, key: str | None = None, **headers: str) -> Any:
    more = {"Idempotency-Key": key} if key else {}
    return client.post("/v1/notes", json={"text": text}, headers=headers | more)


def test_a_repeated_request_gets_its_first_answer(client: TestClient) -> None:
    first, second = post(client, "a", "k"), post(client, "a", "k")
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert count(client) == 1


def test_a_key_for_another_request_is_refused(client: TestClient) -> None:
    post(client, "a", "k")
    assert "Idempotency-Key" in problem(post(client, "b", "k"), 422)["title"]
    assert count(client) == 1


def test_a_key_belongs_to_its_caller(client: TestClient, home: Any) -> None:
    for subject in ("ada", "eve"):
        assert post(client, subject, "k", **bearer(home, "editor", subject=subject)).json()["text"] == subject
    assert count(client) == 2


def test_without_an_account_a_key_belongs_to_what_is_shown(client: TestClient) -> None:
    shown: tuple[dict[str, str], ...] = (
        {},
        {"Link-Token": "a"},
        {"Link-Token": "b"},
        {"Recipient-Token": "a"},
    )
    for number, headers in enumerate(shown):
        assert post(client, "same", "k", **headers).headers.get("Idempotency-Replayed") is None
        assert post(client, "same", "k", **headers).headers["Idempotency-Replayed"] == "true"
        assert count(client) == number + 1
    other = TestClient(client.app, client=("192.0.2.7", 1))
    assert "Idempotency-Replayed" not in post(other, "same", "k").headers, "another client is somebody else"


def test_a_key_is_forgotten_after_a_day(client: TestClient) -> None:
    post(client, "a", "k")
    kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
    with kit.database.transaction() as session:
        session.execute(update(idempotency).values(at=now() - KEPT[idempotency.c.at] * 1.1))
    assert post(client, "b", "k").status_code == 201


def test_a_failed_request_leaves_its_key_unused(client: TestClient) -> None:
    problem(client.post("/v1/notes", json={"text": 1}, headers={"Idempotency-Key": "k"}), 422)
    assert post(client, "a", "k").status_code == 201


def test_of_requests_at_once_with_one_key_one_has_an_effect(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(client, "a", "k"), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert count(client) == 1


def test_without_a_key_every_request_counts(client: TestClient) -> None:
    post(client, "a")
    post(client, "a")
    assert count(client) == 2


def test_nothing_is_kept_of_a_request_that_fails(client: TestClient) -> None:
    problem(client.post("/v1/half"), 500)
    assert count(client) == 0


def change(client: TestClient, tag: str | None, note: int = 1) -> Any:
    headers = {} if tag is None else {"If-Match": tag}
    return client.put(f"/v1/notes/{note}", json={"text": "new"}, headers=headers)


def test_a_change_names_the_version_it_was_made_on(client: TestClient) -> None:
    post(client, "old")
    problem(change(client, None), 428)
    for tag in ("1", '"x"', "*", 'W/"1"', '"-1"', '"99999999999999999999"', '""'):
        problem(change(client, tag), 412)
    answer = change(client, '"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    late = change(client, '"1"')
    problem(late, 412)
    assert late.headers["ETag"] == '"2"'
    problem(change(client, '"1"', note=99), 404)


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[2J", "\x7f", "\\ud800", "", "x" * 201])
def test_what_is_no_text_is_refused(one: TestClient, text: str) -> None:
    raw = json.dumps({"text": text}).replace("\\\\", "\\")
    answer = one.post("/v1/notes", content=raw, headers={"Content-Type": "application/json"})
    told = problem(answer, 422)
    assert told["errors"][0]["field"] == "text"
    assert count(one) == 0


def test_text_may_be_any_language_and_have_lines(client: TestClient) -> None:
    text = "Grüße\n\t日本 🏰 e\u0301"
    assert post(client, text).json()["text"] == text
    assert client.get("/v1/notes", params={"search": "🏰"}).json()["items"][0]["text"] == text


@pytest.mark.parametrize(
    "query",
    ["search=a%00b", "after=%00", "search=%1b", "limit=0", "limit=201", "limit=x", f"after={'x' * 101}"],
)
def test_a_query_that_does_not_fit_is_refused(one: TestClient, query: str) -> None:
    told = problem(one.get(f"/v1/notes?{query}"), 422)
    assert told["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    "body",
    [
        {"text": 1},
        {"text": None},
        {},
        {"text": "a", "count": "1"},
        {"text": "a", "count": True},
        {"text": "a", "more": 1},
        [],
    ],
)
def test_values_are_taken_as_they_are(one: TestClient, body: Any) -> None:
    told = problem(one.post("/v1/notes", json=body), 422)
    assert all(error["reason"] for error in told["errors"])


def test_pages_hold_everything_once(client: TestClient) -> None:
    for number in range(7):
        post(client, f"n{number}")
    found, after, pages = [], "", 0
    while True:
        page = client.get("/v1/notes", params={"limit": 3, "after": after}).json()
        found += [item["text"] for item in page["items"]]
        pages += 1
        if page["next"] is None:
            break
        after = page["next"]
    assert (found, pages) == ([f"n{number}" for number in range(7)], 3)
    exact = client.get("/v1/notes", params={"limit": 7}).json()
    assert exact["next"] is None


@pytest.mark.parametrize("after", ["9" * 16, "9" * 20, "-1", "1e3", "x", "٣", "1\n"])
def test_a_cursor_that_no_database_counts_to_is_refused(after: str) -> None:
    assert [Page(after=known).after_number for known in ("", "0", "9" * 15)] == [0, 0, 10**15 - 1]
    with pytest.raises(Invalid):
        _ = Page(after=after).after_number
