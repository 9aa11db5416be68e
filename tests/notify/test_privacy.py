"""What notify knows of people stays in its database and in their mails: after a run with words that can be recognised,
none stands in a log, a span, a figure, on a public subject or in a dead letter."""

import asyncio
from collections.abc import Iterator

import pytest
from uuid_utils import uuid7

from libs.contracts.messages import TEMPLATES
from libs.contracts.notify import MessageRequested, Subject
from tests.notify.conftest import Notify, lone
from tests.system import bus

__all__ = ["lone"]

LOCAL, TOKEN, TYPED = f"petunia{uuid7().hex}", f"token{uuid7().hex}", f"geheim{uuid7().hex}"


@pytest.fixture(scope="module")
def used(lone: Notify) -> Iterator[tuple[Notify, list[str]]]:
    """A notify that has done everything once, and the words that nobody else may see."""
    to, about = f"{LOCAL}@example.org", Subject(kind="offer", id="somewhere")
    recipient, headers = lone.confirmed(to)
    answered = TEMPLATES["contact-answered"].model_validate({"conversation": "c", "token": TOKEN})
    lone.settled(lone.ask(recipient, answered, about))
    bad = MessageRequested(
        recipient_id=recipient, template="contact-answered", about=about, facts={"x": TYPED, "token": TOKEN}
    )
    lone.publish(bad)
    reasons = lone.dead("dead.notify-requests.>")
    lone.http.post("/v1/recipients", json={"channel": "mail", "address": f"{TYPED} {LOCAL}@@x"})
    lone.http.post(f"/v1/recipients/{recipient}/confirm", json={"code": TYPED})
    lone.http.get(f"/v1/recipients/{recipient}/export", headers=headers)
    lone.stack.stop("notify")
    yield lone, [*reasons]
    lone.stack.launch("notify")


def words() -> tuple[str, ...]:
    return LOCAL, TOKEN, TYPED


def seen(text: str) -> list[str]:
    return [word for word in words() if word in text]


def test_logs_and_spans_know_no_words_of_people(used: tuple[Notify, list[str]]) -> None:
    notify, reasons = used
    assert notify.stack.log("notify"), "there is something to look at"
    assert seen(notify.stack.log("notify")) == []
    traces = [file.read_text() for file in notify.stack.home.traces.iterdir()]
    assert any("deliver mail" in each for each in traces)
    assert [seen(each) for each in traces if seen(each)] == []
    assert reasons and seen(" ".join(reasons)) == []


def test_dead_requests_open_nothing(used: tuple[Notify, list[str]]) -> None:
    notify, _ = used
    bodies = asyncio.run(bus.bodies(notify.stack.url("nats"), "DEAD"))
    assert any(each.startswith("covered:") for each in bodies)
    assert [each for each in bodies if seen(each)] == []


def test_public_subjects_know_none_either(used: tuple[Notify, list[str]]) -> None:
    notify, _ = used
    for stream in ("CITY", "STATE"):
        found = asyncio.run(bus.stored(notify.stack.url("nats"), stream))
        assert [each.subject for each in found if seen(each.event.model_dump_json())] == []


def test_the_database_at_rest_and_the_figures_know_none(used: tuple[Notify, list[str]]) -> None:
    notify, _ = used
    notify.stack.launch("notify")
    assert seen(notify.http.get("/metrics").text) == []
    files = list(notify.stack.home.folder.glob("notify.db*"))
    assert files
    assert [
        seen(file.read_bytes().decode("latin-1"))
        for file in files
        if seen(file.read_bytes().decode("latin-1"))
    ] == []
