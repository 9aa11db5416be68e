"""The demo town: what `coburg seed` imports is what the material says, complete, invented and rich enough to browse."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic_core import to_json
from uuid_utils import uuid7

from city.demo import generate
from cli.home import ROOT
from libs.contracts.offers import FieldType
from services.offers.allocation.domain import NewPeriod
from services.offers.boards.commands import read_declarations
from services.offers.imports.drafts import Checker, OfferDraft
from services.offers.offers.domain import OfferContent, is_over
from services.offers.sessions import town
from services.offers.sessions.domain import NewSessions, one_date

TODAY = date(2027, 1, 1)  # the town lives in the year 2027
NOON_BEFORE = datetime(2027, 1, 1, 11, tzinfo=UTC)
BOARDS = {board.slug: board for board in read_declarations(ROOT / "city" / "boards")}
DEMO = ROOT / "city" / "demo"
LINES = {slug: (DEMO / f"{slug}.jsonl").read_text(encoding="utf-8").splitlines() for slug in BOARDS}
TOWN = tomllib.loads((ROOT / "city" / "city.toml").read_text(encoding="utf-8"))
ZONE = ZoneInfo(TOWN["timezone"])
DISTRICTS = set(TOWN["districts"])
MAIL = re.compile(r"\S@\S")
PHONE = re.compile(r"\+\d|\d[\d /()–-]{5,}\d")


def drafts(slug: str) -> list[OfferDraft]:
    check = Checker(BOARDS[slug], TOWN["accessibility"])
    return [check.native(json.loads(line)) for line in LINES[slug]]


def contents(slug: str) -> list[OfferContent]:
    return [draft.content for draft in drafts(slug) if draft.content]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value


def words(content: OfferContent) -> list[dict[str, str]]:
    return [content.title, content.summary, content.text]


each_board = pytest.mark.parametrize("slug", BOARDS)


@each_board
def test_the_committed_lines_are_what_the_generator_makes(slug: str) -> None:
    assert generate.lines(slug).splitlines() == LINES[slug], "run python -m city.demo.generate"


@each_board
def test_the_sessions_of_offers_are_those_the_generator_makes(slug: str) -> None:
    file = ROOT / "city" / "demo" / "sessions" / f"{slug}.jsonl"
    assert generate.session_lines(slug) == (file.read_text(encoding="utf-8") if file.exists() else "")
    starts = {start for offer in contents(slug) for start in offer.dates}
    first_days = {offer.period.start for offer in contents(slug) if offer.period}
    for line in generate.session_lines(slug).splitlines():
        for body in json.loads(line)["sessions"]:
            start = one_date(NewSessions.model_validate(body), ZONE, NOON_BEFORE).start
            assert start in starts or start.astimezone(ZONE).date() in first_days


def test_weeks_of_holiday_care_lie_in_school_holidays() -> None:
    days = town.read(ROOT / "city").days_off(range(2026, 2029))["school_holidays"].days
    lines = generate.session_lines("ferien").splitlines()
    assert len(lines) >= 40
    for line in lines:
        for body in json.loads(line)["sessions"]:
            assert {date.fromisoformat(body[end][:10]) for end in ("starts_at", "ends_at")} <= days


def test_every_board_has_a_demo_budget() -> None:
    budgets = tomllib.loads((DEMO / "budgets.toml").read_text(encoding="utf-8"))
    assert set(budgets) == set(BOARDS)
    for slug, cents in budgets.items():
        rules = BOARDS[slug].funding
        assert rules and cents > 50 * (rules.per_person_cents or rules.per_booking_cents or 0)


def test_the_demo_period_is_one_that_can_be_announced() -> None:
    said = tomllib.loads((DEMO / "periods" / "ferien.toml").read_text(encoding="utf-8"))
    activity = {"slot": said["slots"][0]["name"], "offer_id": str(uuid7()), "places": 1}
    period = NewPeriod.model_validate_json(to_json({**said, "activities": [activity]}))
    days = town.read(ROOT / "city").days_off(range(2026, 2029))["school_holidays"].days
    assert {slot.start for slot in period.slots} | {slot.end for slot in period.slots} <= days
    assert all("demo" in title.lower() for title in period.title.values())


@each_board
def test_every_line_is_a_complete_offer_of_its_board(slug: str) -> None:
    assert [
        (draft.key, draft.findings) for draft in drafts(slug) if draft.findings or not draft.content
    ] == []
    assert all(draft.provider and draft.provider.title for draft in drafts(slug))


def test_there_is_enough_to_browse() -> None:
    counts = {slug: len(lines) for slug, lines in LINES.items()}
    assert sum(counts.values()) >= 600
    assert counts["ks-cob"] >= 250
    assert min(counts.values()) >= 30


def test_keys_are_unique() -> None:
    keys = Counter(json.loads(line)["key"] for lines in LINES.values() for line in lines)
    assert [key for key, times in keys.items() if times > 1] == []


@each_board
def test_no_two_offers_of_a_board_have_the_same_title(slug: str) -> None:
    for language in ("de", "en"):
        titles = Counter(content.title[language] for content in contents(slug) if language in content.title)
        assert [title for title, times in titles.items() if times > 1] == []


@each_board
def test_every_offer_is_marked_as_demo(slug: str) -> None:
    assert all("Demo" in content.tags for content in contents(slug))


@each_board
def test_nobody_can_be_reached_through_the_demo(slug: str) -> None:
    for content in contents(slug):
        for text in texts([words(content), content.tags]):
            assert not PHONE.search(text), text
    for line in LINES[slug]:
        assert not MAIL.search(line), line
        hosts = re.findall(r"https?://([^/\"]+)", line)
        assert set(hosts) <= {"example.org"}


@each_board
def test_every_text_is_german_or_english(slug: str) -> None:
    for content in contents(slug):
        assert {"de", "en"} & set(content.title), content.title
        assert {"de", "en"} & set(content.summary), content.title
        for text in texts(words(content)):
            assert text == text.strip()
            assert "  " not in text


def test_most_offers_speak_english_and_some_only_one_language() -> None:
    titles = [content.title for slug in BOARDS for content in contents(slug)]
    english = sum("en" in title for title in titles) / len(titles)
    assert 0.6 < english < 1
    assert any("de" not in title for title in titles)


@each_board
def test_offers_lie_in_the_town(slug: str) -> None:
    for content in contents(slug):
        place = content.place
        assert place and place.lat and place.lon, content.title
        assert place.district in DISTRICTS
        assert 50.22 < place.lat < 50.30
        assert 10.90 < place.lon < 11.04


@each_board
def test_every_option_that_people_can_filter_by_finds_an_offer(slug: str) -> None:
    used = {(name, value) for content in contents(slug) for name, value in _chosen(content)}
    for field in (field for field in BOARDS[slug].fields if field.facet):
        options: list[Any] = [option.value for option in field.options]
        if field.type is FieldType.BOOLEAN:
            options = [True, False]
        assert [option for option in options if (field.name, option) not in used] == [], field.name


@each_board
def test_periods_and_dates_lie_ahead_and_in_order(slug: str) -> None:
    for content in contents(slug):
        assert not is_over(content, TODAY)
        assert content.dates == sorted(set(content.dates))
        assert all(moment.date() > TODAY for moment in content.dates)
        if content.period:
            first, last = content.period.start or date.min, content.period.end or date.max
            assert all(first <= moment.date() <= last for moment in content.dates), content.title


@each_board
def test_what_is_free_costs_nothing(slug: str) -> None:
    for content in contents(slug):
        if content.fields.get("cost") == "free":
            assert not content.price_cents, content.title


@each_board
def test_no_more_places_are_free_than_there_are(slug: str) -> None:
    for content in contents(slug):
        room = [content.fields[name] for name in ("places", "group_size") if name in content.fields]
        assert not room or (content.free_places or 0) <= room[0], content.title


def _chosen(content: OfferContent) -> Iterator[tuple[str, Any]]:
    for name, value in content.fields.items():
        for item in value if isinstance(value, list) else [value]:
            yield name, item
