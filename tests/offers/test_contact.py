"""People write to an organisation and are answered; no address is shown, no text leaves the service, nothing stays for ever."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import update
from sqlmodel import col

from libs.servicekit.db import now
from services.offers.contact.commands import erase_due
from services.offers.contact.domain import plain_text
from services.offers.contact.models import Conversation
from tests.offers.conftest import Offers
from tests.service import problem


def begin(
    service: Offers, offer: str, sender: str, text: str = "Gibt es noch Plätze?", **more: Any
) -> httpx2.Response:
    body = {"recipient_id": sender, "text": text, **more}
    return service.call("POST", f"/v1/offers/{offer}/contact", body)


@pytest.fixture
def offer(service: Offers) -> tuple[str, str]:
    """A new organisation that asked to be told, and its public offer."""
    provider = service.provider("Verein")
    service.registered(provider, f"team-{provider}", "messages")
    return provider, service.draft(provider=provider, publish=True)


def test_a_question_is_answered_through_the_service(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    sender = f"parent-{provider}"
    begun = begin(service, thing, sender, "Gibt es\u202e noch Plätze?\r\n\n\n\nDanke").json()
    (waiting,) = service.asked(f"team-{provider}")
    assert (waiting["template"], waiting["facts"]) == ("contact-received", {"conversation": begun["id"]})
    own: dict[str, Any] = {"providers": (provider,)}
    inbox = service.call("GET", f"/v1/providers/{provider}/messages", None, "provider", **own)
    (text,) = inbox.json()["items"]
    assert (text["text"], text["sender"]) == ("Gibt es noch Plätze?\n\nDanke", "requester")
    assert sender not in inbox.text
    path = f"/v1/conversations/{begun['id']}"
    for answer in ("Ja, zwei.", "Oder drei."):
        reply = service.call("POST", f"{path}/replies", {"text": answer}, "provider", **own)
        assert reply.status_code == 201
    (told,) = service.asked(sender)
    assert told["template"] == "contact-answered", "two texts in a row are told once"
    link = {"Link-Token": told["facts"]["token"]}
    seen = service.call("GET", path, headers=link)
    assert [text["text"] for text in seen.json()["texts"]][1:] == ["Ja, zwei.", "Oder drei."]
    assert service.call("POST", f"{path}/replies", {"text": "Gut."}, headers=link).status_code == 201
    assert len(service.asked(f"team-{provider}")) == 2
    problem(service.call("DELETE", path, headers=link, version=3), 412)
    assert service.call("DELETE", path, headers=link, version=4).status_code == 204
    problem(service.call("GET", path, headers=link), 404)
    assert (
        service.call("GET", f"/v1/providers/{provider}/messages", None, "provider", **own).json()["items"]
        == []
    )


def test_a_conversation_is_for_the_two_that_have_it(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    one, other = (begin(service, thing, f"{name}-{provider}").json() for name in ("one", "other"))
    path = f"/v1/conversations/{one['id']}"
    assert service.call("GET", path, headers={"Link-Token": one["token"]}).status_code == 200
    problem(service.call("GET", path, headers={"Link-Token": other["token"]}), 403)
    problem(service.call("GET", path), 401)
    problem(service.call("GET", path, None, "editor"), 403)
    problem(service.call("GET", f"/v1/providers/{provider}/messages", None, "editor"), 403)


def test_a_sender_writes_only_so_often(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    sender = f"busy-{provider}"
    assert [begin(service, thing, sender).status_code for _ in range(6)] == [201] * 5 + [429]
    assert begin(service, thing, f"calm-{provider}").status_code == 201


def test_what_machines_fill_in_reaches_nobody(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    assert begin(service, thing, "robot", website="https://spam.example").status_code == 201
    inbox = service.call("GET", f"/v1/providers/{provider}/messages", None, "provider", providers=(provider,))
    assert inbox.json()["items"] == []
    assert service.asked(f"team-{provider}") == []


def test_the_same_request_is_one_message(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    body = {"recipient_id": f"twice-{provider}", "text": "Hallo"}
    key = {"Idempotency-Key": provider}
    answers = [
        service.call("POST", f"/v1/offers/{thing}/contact", body, headers=key).json() for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(service.asked(f"team-{provider}")) == 1


def test_who_cannot_be_written_to(service: Offers) -> None:
    problem(begin(service, service.draft(), "someone"), 404)
    problem(begin(service, service.draft(publish=True), "someone"), 409)


@pytest.mark.parametrize("text", ["", " \n\u200b ", "x" * 2001, "a\u0000b"])
def test_what_is_no_text(service: Offers, text: str) -> None:
    offer = service.draft(provider=service.provider(), publish=True)
    told = problem(begin(service, offer, "someone", text), 422)
    assert told["errors"][0]["field"] == "text"


def test_conversations_end_with_their_time(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    old, new = (begin(service, thing, f"{age}-{provider}").json() for age in ("old", "new"))
    with service.db.transaction() as session:
        change = update(Conversation).where(col(Conversation.id) == old["id"])
        session.execute(change.values(kept_until=now() - timedelta(minutes=1)))
    with service.db.transaction() as session:
        erase_due(session, now())
    assert (
        service.call(
            "GET", f"/v1/conversations/{new['id']}", headers={"Link-Token": new["token"]}
        ).status_code
        == 200
    )
    problem(service.call("GET", f"/v1/conversations/{old['id']}", headers={"Link-Token": old["token"]}), 404)


def test_text_is_plain() -> None:
    assert plain_text("  a\u0301 \r\nb\u202e\u200b \n\n\n\n c\t") == "\u00e1\nb\n\n c"


def test_deleting_makes_no_room_for_writing_more(service: Offers, offer: tuple[str, str]) -> None:
    provider, thing = offer
    for number in range(6):
        begun = begin(service, thing, f"pest-{provider}")
        if number == 5:
            problem(begun, 429)
            break
        path, link = f"/v1/conversations/{begun.json()['id']}", {"Link-Token": begun.json()["token"]}
        assert service.call("DELETE", path, headers=link, version=1).status_code == 204
        problem(service.call("GET", path, headers=link), 404)
    with service.db.transaction() as session:
        erase_due(session, now() + timedelta(days=1, minutes=1))
    assert begin(service, thing, f"pest-{provider}").status_code == 201
