"""Every message that services ask for arrives as a mail that a person can read, in each language, with its calendar part."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from icalendar import Calendar
from uuid_utils import uuid7

from libs.contracts.messages import TEMPLATES, BookingCancelled, BookingDateCancelled, BookingMoved
from libs.contracts.notify import Occasion, Subject
from services.notify.texts import demo
from tests.notify.conftest import Notify, body


@pytest.fixture(scope="module")
def reader(notify: Notify) -> tuple[str, str]:
    """A confirmed recipient and its address."""
    to = f"{uuid7().hex}@example.org"
    return notify.confirmed(to)[0], to


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_template_is_a_mail(notify: Notify, reader: tuple[str, str], name: str) -> None:
    recipient, to = reader
    offer = notify.offer(f"Kurs für {name}", place={"street": "Bahnhofstraße 1", "locality": "Coburg"})
    template = TEMPLATES[name].model_validate(demo.facts(name) | {"booking": "b1"}, strict=False)
    fact = notify.ask(recipient, template, Subject(kind="offer", id=offer))
    (delivery,) = notify.settled(fact)
    assert (delivery["status"], delivery["template"]) == ("sent", name)
    mail = found(notify, to, delivery["id"])
    text = body(mail)
    assert mail["Subject"] and "{{" not in text and "None" not in text
    assert "abbestellen" in text, "says how it stops"
    assert 'lang="de"' in body(mail, "html")


def found(notify: Notify, to: str, delivery: str) -> EmailMessage:
    """The one mail of a delivery, by its Message-ID."""
    (mail,) = [each for each in notify.mails(to) if delivery in str(each["Message-ID"])]
    return mail


def calendars(mail: EmailMessage) -> list[dict[str, str]]:
    """The one event of each calendar file that hangs on a mail, with the file's method."""
    found = [Calendar.from_ical(part.get_content()) for part in mail.iter_attachments()]
    names = ("uid", "sequence", "status")
    return [
        {"method": str(each["method"]), **{name: str(each.walk("VEVENT")[0][name]) for name in names}}
        for each in found
    ]


def test_a_moved_and_a_cancelled_date_keep_their_uid(notify: Notify, reader: tuple[str, str]) -> None:
    recipient, to = reader
    about = Subject(kind="offer", id=notify.offer("Schwimmen lernen"))
    start, end = datetime(2027, 1, 12, 15, tzinfo=UTC), datetime(2027, 1, 12, 16, tzinfo=UTC)
    facts: dict[str, Any] = {"booking": "b2", "places": 1, "token": "t"}
    moved = BookingMoved(**facts, version=2, session_starts_at=start, session_ends_at=end)
    cancelled = BookingCancelled(**facts, version=3)
    date = Occasion(id="s1", starts_at=start, ends_at=end)
    mails = []
    for template in (moved, cancelled):
        (delivery,) = notify.settled(notify.ask(recipient, template, about, [date]))
        mails.append(found(notify, to, delivery["id"]))
    first, second = (calendars(mail)[0] for mail in mails)
    assert (first["method"], second["method"]) == ("REQUEST", "CANCEL")
    assert first["uid"] == second["uid"]
    assert int(second["sequence"]) > int(first["sequence"])
    inline = mails[0].get_body(("calendar",)) or next(
        part for part in mails[0].walk() if part.get_content_type() == "text/calendar"
    )
    assert inline.get_param("method") == "REQUEST"


def test_of_several_dates_only_the_one_that_falls_out_leaves_the_calendar(
    notify: Notify, reader: tuple[str, str]
) -> None:
    recipient, to = reader
    days = [datetime(2027, 1, day, 15, tzinfo=UTC) for day in (12, 19)]
    dates = [
        Occasion(id=f"s{at.day}", starts_at=at, ends_at=at.replace(hour=16), cancelled=at.day == 19)
        for at in days
    ]
    template = BookingDateCancelled(booking="b3", places=1, token="t", version=4, session_starts_at=days[1])
    fact = notify.ask(recipient, template, Subject(kind="offer", id=notify.offer("Chor")), dates)
    (delivery,) = notify.settled(fact)
    (calendar,) = calendars(found(notify, to, delivery["id"]))
    assert calendar["method"] == "CANCEL"
    assert "s19" in calendar["uid"]
    text = body(found(notify, to, delivery["id"]))
    assert "12. Januar" in text.split("Diese Termine bleiben")[1]


@pytest.mark.parametrize(
    ("language", "word"), [("en", "booking"), ("de-simple", "Buchung"), ("tr", "Buchung")]
)
def test_a_recipient_reads_its_own_language_or_the_best_there_is(
    notify: Notify, language: str, word: str
) -> None:
    to = f"{uuid7().hex}@example.org"
    recipient, _ = notify.confirmed(to, language=language)
    template = TEMPLATES["booking-approved"].model_validate(demo.facts("booking-approved"), strict=False)
    notify.settled(notify.ask(recipient, template, Subject(kind="offer", id="unknown")))
    assert word in body(notify.mail(to, 2))


def test_asked_twice_it_is_sent_once_and_too_late_not_at_all(notify: Notify, reader: tuple[str, str]) -> None:
    recipient, to = reader
    about = Subject(kind="offer", id="somewhere")
    template = TEMPLATES["contact-answered"].model_validate({"conversation": "c", "token": "t"})
    late = notify.ask(recipient, template, about, send_before=datetime(2020, 1, 1, tzinfo=UTC))
    assert [(each["status"], each["reason"]) for each in notify.settled(late)] == [("dropped", "too_late")]
    before = len(notify.mails(to))
    fact = notify.ask(recipient, template, about)
    notify.settled(fact)
    assert len(notify.mails(to)) == before + 1


def test_editors_preview_every_message(notify: Notify) -> None:
    headers = notify.stack.headers("editor")
    names = {each["name"] for each in notify.http.get("/v1/messages/templates", headers=headers).json()}
    assert set(TEMPLATES) < names
    for name in names:
        shown = notify.http.get(
            f"/v1/messages/templates/{name}/preview", params={"lang": "en"}, headers=headers
        )
        assert shown.status_code == 200 and shown.json()["subject"]
    page = notify.http.get("/v1/messages/templates/booking-approved/preview.html", headers=headers)
    assert page.headers["Content-Type"].startswith("text/html")
    assert notify.http.get("/v1/messages/templates/nothing/preview", headers=headers).status_code == 404
