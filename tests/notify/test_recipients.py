"""Registering, confirming, exporting and erasing, on each database and with real mails."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from uuid_utils import uuid7

from libs.contracts.messages import BookingApproved, BookingReceived
from libs.contracts.notify import Subject
from tests.notify.conftest import Notify, body
from tests.waiting import until


def address() -> str:
    return f"{uuid7().hex}@example.org"


def booking(places: int = 1) -> BookingApproved:
    return BookingApproved(booking=str(uuid7()), places=places, token="opens-it")


def test_what_is_asked_for_before_the_confirmation_waits_and_is_named_in_its_mail(notify: Notify) -> None:
    to, offer = address(), notify.offer("Schwimmen lernen")
    recipient, _ = notify.register(to)
    fact = notify.ask(recipient, booking(), Subject(kind="offer", id=offer))
    asked = notify.mail(to)
    assert "Buchung" in body(asked), "says what waits"
    assert [each["status"] for each in notify.deliveries(fact)] == ["held"]
    answer = notify.http.post(f"/v1/recipients/{recipient}/confirm", json={"code": notify.code(to).lower()})
    assert answer.json()["status"] == "confirmed"
    assert "Schwimmen lernen" in notify.mail(to, 2)["Subject"]
    assert [each["status"] for each in notify.settled(fact)] == ["sent"]
    assert len(notify.mails(to)) == 2


def test_a_repeated_registration_gets_its_token_again_and_the_database_tells_none(notify: Notify) -> None:
    key, said = {"Idempotency-Key": uuid7().hex}, {"address": address()}
    first, again = (notify.http.post("/v1/recipients", json=said, headers=key) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    with notify.db.reading() as session:
        stored = session.execute(text("SELECT body FROM idempotency WHERE body IS NOT NULL")).scalars()
        bodies = [bytes(each) for each in stored]
    assert any(first.json()["id"].encode() in each for each in bodies), "erasing finds it by its id"
    assert not any(first.json()["token"].encode() in each for each in bodies)


def test_a_wrong_code_confirms_nothing_and_many_end_the_code(notify: Notify) -> None:
    to = address()
    recipient, headers = notify.register(to)
    code = notify.code(to)
    path = f"/v1/recipients/{recipient}/confirm"
    answers = [notify.http.post(path, json={"code": "AAAAAAAAAA"}) for _ in range(11)]
    assert answers[0].status_code == 422
    assert answers[0].json()["code"] == "wrong-code"
    assert answers[-1].status_code == 429
    assert notify.http.post(path, json={"code": code}).status_code == 429
    assert notify.http.get(f"/v1/recipients/{recipient}", headers=headers).json()["status"] == "unconfirmed"


def test_whoever_registers_does_not_learn_that_an_address_is_known_and_its_owner_gets_one_mail(
    notify: Notify,
) -> None:
    to = address()
    first, _ = notify.confirmed(to)
    answers = [notify.http.post("/v1/recipients", json={"address": to}) for _ in range(5)]
    assert {answer.json()["status"] for answer in answers} == {"unconfirmed"}
    assert {frozenset(answer.json()) for answer in answers} == {frozenset({"id", "token", "status"})}
    assert first not in {answer.json()["id"] for answer in answers}
    assert len(notify.mails(to)) == 1, "the other mails wait for their turn"


def test_a_token_opens_its_own_recipient_and_nothing_else(notify: Notify) -> None:
    recipient, headers = notify.register(address())
    _, others = notify.register(address())
    path = f"/v1/recipients/{recipient}"
    assert notify.http.get(path, headers=headers).status_code == 200
    for wrong in ({}, others, {"Link-Token": "x"}, notify.stack.headers("operator")):
        for method, tail in (("GET", ""), ("GET", "/export"), ("DELETE", ""), ("POST", "/confirmation")):
            assert notify.http.request(method, path + tail, headers=wrong).status_code == 401


def test_settings_change_with_the_version_that_was_seen(notify: Notify) -> None:
    recipient, headers = notify.register(address())
    path, body_ = (
        f"/v1/recipients/{recipient}",
        {"language": "en", "timezone": "Europe/Lisbon", "quiet": {"start": "21:00", "end": "07:00"}},
    )
    seen = notify.http.get(path, headers=headers).headers["ETag"]
    changed = notify.http.put(path, json=body_, headers=headers | {"If-Match": seen})
    assert changed.status_code == 200
    assert changed.json()["quiet"] == {"start": "21:00", "end": "07:00"}
    assert notify.http.put(path, json=body_, headers=headers | {"If-Match": seen}).status_code == 412


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "no at sign"},
        {"address": None},
        {"address": "a@b@c.de"},
        {"channel": "push"},
        {"address": "a@example.org", "timezone": "Coburg"},
        {"address": "a@example.org", "quiet": {"start": "25:00", "end": "07:00"}},
        {"address": "a@example.org", "language": "Deutsch"},
    ],
)
def test_what_is_no_registration_is_refused_with_the_field(notify: Notify, wrong: dict[str, object]) -> None:
    answer = notify.http.post("/v1/recipients", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"]


def test_addresses_are_sealed_and_erased_with_everything(notify: Notify) -> None:
    to = address()
    recipient, headers = notify.confirmed(to)
    fact = notify.ask(recipient, booking(), Subject(kind="offer", id="somewhere"))
    notify.settled(fact)
    found = notify.http.get(f"/v1/recipients/{recipient}/export", headers=headers).json()
    assert found["address"] == to
    assert {each["template"] for each in found["deliveries"]} == {"confirm-address", "booking-approved"}
    with notify.db.reading() as session:
        row = session.execute(text("SELECT * FROM recipient WHERE id = :id"), {"id": recipient}).one()
    assert to.encode() not in b"|".join(str(value).encode() for value in row)
    assert notify.http.delete(f"/v1/recipients/{recipient}", headers=headers).status_code == 204
    with notify.db.reading() as session:
        for table, column in (("recipient", "id"), ("delivery", "recipient_id")):
            left = session.execute(
                text(f"SELECT count(*) FROM {table} WHERE {column} = :id"), {"id": recipient}
            )
            assert left.scalar_one() == 0
    assert notify.http.get(f"/v1/recipients/{recipient}", headers=headers).status_code == 404


def test_the_page_asks_before_it_confirms_and_works_without_javascript(notify: Notify) -> None:
    to = address()
    recipient, headers = notify.register(to)
    path = f"/pages/confirm/{recipient}?code={notify.code(to)}"
    asked = notify.http.get(path)
    assert '<form method="post">' in asked.text
    assert "script" not in asked.text
    assert notify.http.get(f"/v1/recipients/{recipient}", headers=headers).json()["status"] == "unconfirmed"
    assert notify.http.post(path).status_code == 200
    assert notify.http.get(f"/v1/recipients/{recipient}", headers=headers).json()["status"] == "confirmed"


def test_a_bounced_address_gets_nothing_more(notify: Notify) -> None:
    to = address()
    recipient, _ = notify.confirmed(to)
    report = DSN.replace("ADDRESS", to).encode()
    headers = notify.stack.headers("operator") | {"Content-Type": "message/rfc822"}
    assert notify.http.post("/v1/mail/reports", content=report, headers=headers).json() == {"suppressed": 1}
    fact = notify.ask(recipient, booking(), Subject(kind="offer", id="somewhere"))
    assert [(each["status"], each["reason"]) for each in notify.settled(fact)] == [("dropped", "suppressed")]
    assert len(notify.mails(to)) == 1


def test_a_request_that_does_not_fit_its_template_is_dead_with_the_reason(notify: Notify) -> None:
    recipient, _ = notify.register(address())
    wrong = BookingReceived.model_construct(booking="b", places=0, token="t", version=1)
    notify.ask(recipient, wrong, Subject(kind="offer", id="o"))
    letters = notify.dead("dead.notify-requests.>")
    assert any("places" in reason for reason in letters)


DSN = """From: MAILER-DAEMON@mail.example
To: noreply@coburg.de
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; ADDRESS
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 No such user

--b--
"""


def test_the_code_is_read_in_the_mailbox_and_nowhere_else(notify: Notify) -> None:
    to = address()
    recipient, headers = notify.register(to)
    code = notify.code(to)
    shown = notify.http.get(f"/v1/recipients/{recipient}/export", headers=headers).json()
    (asked,) = [each for each in shown["deliveries"] if each["template"] == "confirm-address"]
    assert asked["content"] is None
    assert code not in str(shown)
    assert "confirm-" in asked["fact_id"] and len(asked["fact_id"]) == len("confirm-") + 36


def test_registering_and_erasing_again_and_again_floods_nobody(notify: Notify) -> None:
    to = address()
    for _ in range(4):
        recipient, headers = notify.register(to)
        until(lambda: notify.mails(to))
        assert notify.http.delete(f"/v1/recipients/{recipient}", headers=headers).status_code == 204
    recipient, _ = notify.register(to)
    with notify.db.reading() as session:
        asked = session.execute(
            text("SELECT ask_at FROM recipient WHERE id = :id"), {"id": recipient}
        ).scalar_one()
    assert str(asked) > str(datetime.now(UTC) + timedelta(minutes=5)), "its turn is later"
    assert len(notify.mails(to)) == 1


def test_whom_caps_count_is_told_only_of_a_confirmed_address(notify: Notify) -> None:
    to = address()
    recipient, headers = notify.confirmed(to)
    claims = [claims_of(headers["Link-Token"])]
    claims.append(claims_of(notify.http.get(f"/v1/recipients/{recipient}", headers=headers).json()["token"]))
    assert [("person" in each) for each in claims] == [False, True]
    stranger, theirs = notify.register(to)
    assert "person" not in claims_of(
        notify.http.get(f"/v1/recipients/{stranger}", headers=theirs).json()["token"]
    )


def claims_of(token: str) -> dict[str, object]:
    body = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found
