"""Rules of subscriptions: when something is told over both changes of the clock, what several changes come to, and that
whatever a card answers is filed where the card looks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from libs.cardquery.matching import Matching
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.servicekit.errors import Invalid
from libs.town.calendar import read
from services.notify.addresses.domain import QuietHours
from services.notify.subscriptions.anchors import filed, sought, words_of
from services.notify.subscriptions.domain import Cadence, due, merged, next_digest, wanted
from services.notify.subscriptions.filters import checked, follow_of
from services.notify.subscriptions.vocabulary import FollowedWords
from services.notify.things.domain import Change

BERLIN = ZoneInfo("Europe/Berlin")
MATCHING = Matching(read(Path("city")), Vocabulary.of(Path("city")))
CARD: dict[str, Any] = {
    "kind": "offer",
    "board": "sport",
    "title": {"de": "Schwimmkurs für Grundschulkinder im Hallenbad"},
    "summary": {"de": "Bei der Kita St. Josef, Fest am Platz"},
    "tags": ["Wasser"],
    "facets": {"level": ["beginner"], "project": ["p-1"]},
    "fields_of_action": ["sport"],
    "place": {"lat": 50.2587, "lon": 10.9644, "district": "Neuses"},
    "provider": {"id": "verein", "title": {"de": "Verein"}},
}


@pytest.mark.parametrize(
    ("cadence", "at", "then"),
    [
        (Cadence.DAILY, "2026-11-26T07:59+01:00", "2026-11-26T08:00+01:00"),
        (Cadence.DAILY, "2026-11-26T08:00+01:00", "2026-11-27T08:00+01:00"),
        (Cadence.DAILY, "2026-03-28T20:00+01:00", "2026-03-29T08:00+02:00"),  # spring: 11 hours later
        (Cadence.DAILY, "2026-10-24T20:00+02:00", "2026-10-25T08:00+01:00"),  # autumn: 13 hours later
        (Cadence.WEEKLY, "2026-11-26T12:00+01:00", "2026-11-30T08:00+01:00"),
        (Cadence.WEEKLY, "2026-11-30T08:00+01:00", "2026-12-07T08:00+01:00"),
        (Cadence.WEEKLY, "2026-03-23T08:00+01:00", "2026-03-30T08:00+02:00"),
        (Cadence.WEEKLY, "2026-10-19T09:00+02:00", "2026-10-26T08:00+01:00"),
    ],
)
def test_digests_come_in_the_morning_by_the_clock_on_the_wall(cadence: Cadence, at: str, then: str) -> None:
    moment = datetime.fromisoformat(at).astimezone(UTC)
    assert next_digest(cadence, moment, BERLIN) == datetime.fromisoformat(then)


def test_at_once_waits_for_the_window_and_for_the_end_of_quiet_hours() -> None:
    night = QuietHours(start="21:00", end="07:00")
    noon = datetime(2026, 11, 26, 12, tzinfo=BERLIN)
    assert due(Cadence.AT_ONCE, noon, BERLIN, night, None) == noon
    assert due(Cadence.AT_ONCE, noon, BERLIN, night, noon + timedelta(minutes=20)) == noon + timedelta(
        minutes=20
    )
    late = noon.replace(hour=20, minute=50)
    assert due(Cadence.AT_ONCE, late, BERLIN, night, late + timedelta(minutes=30)) == datetime(
        2026, 11, 27, 7, tzinfo=BERLIN
    )
    assert due(Cadence.DAILY, noon, BERLIN, QuietHours(start="07:00", end="09:30"), None) == datetime(
        2026, 11, 27, 9, 30, tzinfo=BERLIN
    )


@pytest.mark.parametrize(
    ("waiting", "newer", "told"),
    [
        ("new", "changed", "new"),
        ("new", "cancelled", None),
        ("changed", "cancelled", "cancelled"),
        ("changed", "place_free", "place_free"),
        ("place_free", "changed", "place_free"),
        ("cancelled", "new", "new"),
        ("deadline", "cancelled", "cancelled"),
    ],
)
def test_several_changes_come_to_one(waiting: str, newer: str, told: str | None) -> None:
    assert merged(Change(waiting), Change(newer)) == told


def test_what_did_not_fit_before_is_new() -> None:
    assert wanted(Change.CHANGED, fits_now_first=True, changes=["new"]) == "new"
    assert wanted(Change.CHANGED, fits_now_first=False, changes=["new"]) is None
    assert wanted(Change.PLACE_FREE, fits_now_first=True, changes=["place_free"]) == "place_free"
    assert wanted(Change.CANCELLED, fits_now_first=True, changes=["new"]) is None


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"q": "schwimmkurs"},
        {"q": "chwimmkurs"},
        {"q": "schwimkurse"},
        {"q": "kinder"},
        {"q": "schwim"},
        {"q": "schwmm"},
        {"q": "Schwimmbad"},
        {"q": "sankt josef"},
        {"q": '"am platz"'},
        {"q": "festam"},
        {"q": "hallen bad"},
        {"need": "Schwimmkurs"},
        {"board": "sport"},
        {"board": ["kita", "sport"], "kind": "offer"},
        {"near": "50.26,10.97", "radius": 1500},
        {"near": "50.26,10.97", "radius": 900_000, "district": "neuses"},
        {"level": ["advanced", "beginner"]},
        {"tag": "wasser", "q": "bad"},
        {"thing": "t-1"},
        {"provider": "verein", "q": "kita"},
        {"project": "p-1"},
        {"field": "sport", "free": False},
    ],
)
def test_whoever_follows_a_card_is_filed_where_it_looks(said: dict[str, Any]) -> None:
    subject = MATCHING.subject(Card.model_validate(CARD, strict=False))
    follow = follow_of(checked(said), MATCHING.silent)
    assert follow.answers(subject, "t-1")
    names = filed(follow, MATCHING)
    known = FollowedWords()
    for word in ("anderes", *words_of(names)):
        known._learn(word)
    meant = known.meant_by(subject.wording.words)
    assert names & sought(subject, "t-1", meant)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"open_now": True}, "filter.open_now"),
        ({"sort": "near"}, "filter.sort"),
        ({"limit": 3}, "filter.limit"),
        ({"radius": 3}, "filter.radius"),
        ({"q": "a", "need": "b"}, "filter.need"),
        ({"thing": ["a", "b"]}, "filter.thing"),
        ({"near": "here"}, "filter.near"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(said: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(said)
    assert field in [each.field for each in refused.value.errors]


def test_words_that_come_later_are_known_too() -> None:
    known = FollowedWords()
    known._learn("schwimmen")
    assert known.meant_by({"schwimmer"}) == {"schwimmen"}
    known._learn("schwimmr")
    assert known.meant_by({"schwimmer"}) == {"schwimmen", "schwimmr"}
