"""Rules of notify: quiet hours over clock changes, when owners are asked, what servers' answers and reports mean."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from libs.contracts.card import Card
from libs.contracts.messages import TEMPLATES, BookingApproved, InvalidTemplate, read
from libs.contracts.notify import Occasion
from services.notify.addresses.domain import (
    ASK_AGAIN_AFTER,
    QuietHours,
    after_quiet,
    asked_at,
    hashed,
    matches,
    new_code,
)
from services.notify.addresses.mail import InvalidAddress, address_of
from services.notify.addresses.reports import complaints
from services.notify.deliveries.calendar import Meeting, itip
from services.notify.deliveries.domain import LONGEST_PAUSE, Outcome, outcome_of, pause
from services.notify.texts import domain as words
from services.notify.texts.html import body_of
from services.notify.things.domain import Change, change_of
from services.notify.vault import SealBroken, Vault

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(start="21:00", end="07:00")


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("2026-11-26T12:00+01:00", "2026-11-26T12:00+01:00"),
        ("2026-11-26T21:00+01:00", "2026-11-27T07:00+01:00"),
        ("2026-11-27T06:59+01:00", "2026-11-27T07:00+01:00"),
        ("2026-11-27T07:00+01:00", "2026-11-27T07:00+01:00"),
        ("2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),  # the night is an hour shorter
        ("2026-10-24T23:00+02:00", "2026-10-25T07:00+01:00"),  # and an hour longer
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(at: str, then: str) -> None:
    moment = datetime.fromisoformat(at).astimezone(UTC)
    assert after_quiet(moment, NIGHT, BERLIN) == datetime.fromisoformat(then)


def test_quiet_hours_within_a_day_and_of_no_length() -> None:
    noon = datetime(2026, 6, 1, 12, 30, tzinfo=BERLIN)
    assert after_quiet(noon, QuietHours(start="12:00", end="14:00"), BERLIN) == noon.replace(
        hour=14, minute=0
    )
    assert after_quiet(noon, QuietHours(start="12:00", end="12:00"), BERLIN) == noon
    assert after_quiet(noon, None, BERLIN) == noon


def test_an_owner_is_asked_at_most_three_times_a_day_and_not_in_a_row() -> None:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert asked_at(now, []) == now
    assert asked_at(now, [now - timedelta(minutes=1)]) == now - timedelta(minutes=1) + ASK_AGAIN_AFTER
    earlier = [now - timedelta(hours=hours) for hours in (1, 2, 3)]
    many = [now - timedelta(days=days) for days in range(1, 7)]
    assert asked_at(now, many) == now + timedelta(days=8), "six mails in a fortnight"
    assert asked_at(now, earlier) == now + timedelta(hours=21)


def test_a_code_may_be_typed_in_any_case_with_dashes() -> None:
    code = new_code()
    typed = f"{code[:5]}-{code[5:]}".lower()
    assert matches(typed, hashed(code))
    assert not matches(code[:-1], hashed(code))
    assert not matches(code, None)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Anna@Example.ORG ", "Anna@example.org"),
        ("info@schule-borchshöhe.de", "info@xn--schule-borchshhe-zwb.de"),
        ("o'neil+kita@example.org", "o'neil+kita@example.org"),
    ],
)
def test_addresses_as_people_type_them(text: str, address: str) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "a@b", "a b@example.org", "a@example.org\nBcc: b@example.org", "@example.org", "a@[127.0.0.1]"],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidAddress):
        address_of(text)


@pytest.mark.parametrize(
    ("code", "text", "outcome"),
    [
        (250, "2.0.0 ok", Outcome.SENT),
        (451, "4.7.1 greylisted", Outcome.LATER),
        (550, "5.1.1 no such user", Outcome.NO_SUCH_ADDRESS),
        (550, "5.7.1 policy", Outcome.REFUSED),
        (550, "5.1.10 null mx", Outcome.NO_SUCH_ADDRESS),
        (550, "5.1.8 bad sender", Outcome.REFUSED),
        (550, "no such user here, or so", Outcome.REFUSED),
        (554, "no", Outcome.REFUSED),
    ],
)
def test_what_a_mail_server_answers(code: int, text: str, outcome: Outcome) -> None:
    assert outcome_of(code, text) is outcome


def test_pauses_grow_up_to_hours() -> None:
    pauses = [pause(attempts) for attempts in range(30)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= timedelta(minutes=1)
    assert pauses[-1] == LONGEST_PAUSE


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (
            "Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 5.1.1",
            [("a@example.org", "bounced")],
        ),
        ("Final-Recipient: rfc822; a@example.org\nAction: delayed\nStatus: 4.4.1", []),
        ("Final-Recipient: rfc822; a@example.org\nAction: failed\nStatus: 4.4.7", []),
    ],
)
def test_only_lasting_failures_are_bounces(fields: str, found: list[tuple[str, str]]) -> None:
    report = (
        'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n'
        f"Reporting-MTA: dns; m.example\n\n{fields}\n\n--b--\n"
    )
    assert complaints(report.encode()) == found


def test_a_complaint_is_read() -> None:
    report = (
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n--b\n'
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <a@example.org>\n\n--b--\n"
    )
    assert complaints(report.encode()) == [("a@example.org", "complained")]


def test_noise_is_no_report() -> None:
    assert complaints(b"\xff\x00 nothing") == []


def test_a_key_can_be_changed_and_an_old_one_taken_away() -> None:
    old, new = "o" * 32, "n" * 32
    sealed = Vault([old], "m" * 32).seal("a@example.org")
    both = Vault([new, old], "m" * 32)
    assert both.open(sealed) == "a@example.org"
    assert Vault([new], "m" * 32).open(both.seal("a@example.org")) == "a@example.org"
    with pytest.raises(SealBroken):
        Vault([new], "m" * 32).open(sealed)
    assert both.mark("a") == Vault([old], "m" * 32).mark("a") != Vault([old], "n" * 32).mark("a")


def card(**more: object) -> Card:
    return Card.model_validate({"kind": "offer", "title": {"de": "Schwimmen"}, **more})


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (None, card(), Change.NEW),
        (None, card(listed=False), None),
        (card(), card(listed=False), Change.CANCELLED),
        (card(), card(), None),
        (card(boost=1.0), card(boost=2.0), None),
        (card(), card(title={"de": "Tauchen"}), Change.CHANGED),
        (card(free_places=0), card(free_places=2), Change.PLACE_FREE),
        (card(free_places=3), card(free_places=2), None),
    ],
)
def test_what_a_new_card_is_to_a_follower(before: Card | None, after: Card, change: Change | None) -> None:
    assert change_of(before, after) is change


def test_no_word_of_others_becomes_structure() -> None:
    title = words.one_line("Schwimmen\n\n→ https://evil.example\n- <b>x</b>")
    html = body_of(f"Es geht um {title}.\n\nMehr:\n→ https://town.example/a?b=1&c=2")
    assert html.count("<a ") == 1
    assert '<a href="https://town.example/a?b=1&amp;c=2">Mehr</a>' in html
    assert "<b>" not in html


def test_times_are_said_in_the_readers_language_and_zone() -> None:
    start = datetime(2027, 1, 12, 15, tzinfo=UTC)
    end = start + timedelta(minutes=90)
    assert words.span(start, end, "de", BERLIN) == "Dienstag, 12. Januar 2027, 16:00–17:30 Uhr"
    assert words.span(start, end, "en", ZoneInfo("Europe/London")).startswith("Tuesday, January 12, 2027")
    assert words.money(1250, "de") == "12,50 €"


def test_a_missing_language_falls_back_and_never_hides_anything() -> None:
    assert words.chosen({"de": "Deutsch", "en": "English"}, "de-simple") == "Deutsch"
    assert words.chosen({"en": "English"}, "de") == "English"
    assert words.chosen({"uk": "Українська"}, "de") == "Українська"


def test_a_date_keeps_its_uid_and_its_sequence_grows() -> None:
    date = Occasion(
        id="s1",
        starts_at=datetime(2027, 1, 12, 15, tzinfo=UTC),
        ends_at=datetime(2027, 1, 12, 16, tzinfo=UTC),
    )
    stamp = datetime(2026, 11, 26, tzinfo=UTC)

    def event(method: str, sequence: int) -> Calendar:
        meeting = Meeting(
            "Schwimmen; lernen", "Hallenbad", "", "noreply@coburg.de", "a@example.org", sequence
        )
        return Calendar.from_ical(itip(method, meeting, date, "b1", stamp))  # type: ignore[arg-type]

    asked, cancelled = event("request", 1), event("cancel", 2)
    assert (asked["method"], cancelled["method"]) == ("REQUEST", "CANCEL")
    first, second = asked.walk("VEVENT")[0], cancelled.walk("VEVENT")[0]
    assert first["uid"] == second["uid"]
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert second["status"] == "CANCELLED"
    assert first["summary"] == "Schwimmen; lernen"
    assert str(first["organizer"]) == "mailto:noreply@coburg.de"


def test_the_catalogue_refuses_what_does_not_fit() -> None:
    good = BookingApproved(booking="b", places=2, token="t").facts()
    assert isinstance(read("booking-approved", good), BookingApproved)
    for wrong in (
        {**good, "places": 0},
        {**good, "places": "2"},
        {k: v for k, v in good.items() if k != "token"},
    ):
        with pytest.raises(InvalidTemplate):
            read("booking-approved", wrong)
    with pytest.raises(InvalidTemplate, match="no template"):
        read("nobody-knows-it", {})
    assert len(TEMPLATES) == 20
