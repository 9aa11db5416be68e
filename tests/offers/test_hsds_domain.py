"""HSDS as values: the demo town's offers are what the specification asks for, in words of our own."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from dateutil.rrule import rrulestr

from cli.home import ROOT
from libs.town.hours import DAYS
from services.offers.boards.commands import read_declarations
from services.offers.exports.domain import Shown
from services.offers.exports.frame import Frame
from services.offers.exports.weeks import week
from services.offers.hsds import domain
from services.offers.hsds.schedule import schedules
from services.offers.hsds.vocabulary import Vocabulary
from services.offers.places.domain import Left
from tests.offers.hsds_schemas import complaints

BOARDS = {board.slug: board for board in read_declarations(ROOT / "city" / "boards")}
NAMESPACE = UUID("00000000-0000-7000-8000-000000000000")
CHANGED = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
FRAME = Frame(
    BOARDS,
    ["de", "en"],
    ["de", "en"],
    "Musterstadt",
    "https://offers.example",
    today=date(2026, 11, 2),
    zone="Europe/Berlin",
    country="DE",
    state="Bayern",
    accessibility={"lift": {"de": "Mit Aufzug"}},
)
WORDS = Vocabulary(BOARDS, ["de", "en"])


def demo(board: str) -> list[Shown]:
    """The demo town's offers of a board, as the database would have them."""
    rows = [json.loads(line) for line in (ROOT / "city" / "demo" / f"{board}.jsonl").read_text().splitlines()]
    return [shown(board, row.pop("key"), row.pop("provider"), row) for row in rows]


def shown(board: str, key: str, provider: dict[str, Any], content: dict[str, Any], **more: Any) -> Shown:
    return Shown(
        id=str(uuid5(NAMESPACE, key)),
        key=key,
        board=board,
        version=1,
        status="published",
        published_at=CHANGED,
        changed_at=CHANGED,
        content=content,
        provider_id=str(uuid5(NAMESPACE, str(provider["title"]))),
        provider=provider,
        **more,
    )


@pytest.mark.parametrize("board", BOARDS)
def test_the_demo_town_is_a_directory_as_specified(board: str) -> None:
    for number, offer in enumerate(demo(board)):
        assert complaints("service", domain.full_service(FRAME, WORDS, offer)) == []
        if number % 20:
            continue  # they are made of the same parts
        assert complaints("service_brief", domain.service(FRAME, offer)) == []
        assert complaints("service_minimal", domain.minimal(offer)) == []
        brief = domain.service_at_location(FRAME, WORDS, offer, full=False)
        assert complaints("service_at_location_brief", brief) == []
        at_place = domain.service_at_location(FRAME, WORDS, offer, full=True)
        assert complaints("service_at_location", at_place) == []
        said = dict(offer.provider or {}) | {"place": offer.content["place"]}
        services = [domain.service_name(FRAME, offer)]
        organization = domain.full_organization(FRAME, str(offer.provider_id), said, services)
        assert complaints("organization", organization) == []


def test_the_schemas_can_complain() -> None:
    good = domain.full_service(FRAME, WORDS, demo("kita")[0])
    assert complaints("service", good | {"status": "open"})
    assert complaints("service", {name: value for name, value in good.items() if name != "name"})
    assert complaints("service", good | {"capacities": [{"id": good["id"]}]})
    assert complaints("service", good | {"unheard_of": 1})


def test_every_word_of_the_boards_is_a_term_of_one_taxonomy() -> None:
    for taxonomy in WORDS.taxonomies.values():
        assert complaints("taxonomy", taxonomy.as_hsds()) == []
    for term in WORDS.terms.values():
        assert complaints("taxonomy_term", term.as_hsds()) == []
        assert term.taxonomy.id in WORDS.taxonomies
    options = sum(len(field.options) for board in BOARDS.values() for field in board.fields)
    assert len(WORDS.terms) == options + len(BOARDS)


MONDAY = date(2027, 3, 1)


def test_an_offer_is_classified_by_its_board_and_its_choices() -> None:
    offer = shown(
        "kita", "a", {"title": {"de": "T"}}, {"fields": {"facility": "forest", "concept": ["waldorf"]}}
    )
    found = [(term.taxonomy.field, term.code) for term in WORDS.of(offer)]
    assert found == [(None, "kita"), ("facility", "forest"), ("concept", "waldorf")]


def test_a_kita_says_its_places_hours_ages_and_languages() -> None:
    content = {
        "title": {"de": "Kita am Bach", "en": "Day-care at the Brook"},
        "summary": {"de": "Klein."},
        "text": {"de": "Fein."},
        "age": {"from_months": 12, "to_months": 78},
        "price_cents": 1999,
        "place": {"lat": 50.1, "lon": 10.2, "street": "Bach 1", "postcode": "96450", "locality": "Coburg"},
        "fields": {"facility": "daycare", "places": 40, "languages": ["sign"], "hours": "Mo-Fr 07:00-17:00"},
    }
    counted = Left(3, None, CHANGED)
    said = domain.full_service(
        FRAME, WORDS, shown("kita", "b", {"title": {"de": "T"}}, content, counted=counted)
    )
    assert (said["name"], said["alternate_name"]) == ("Kita am Bach", "Day-care at the Brook")
    assert said["description"] == "Klein.\n\nFein."
    assert (said["minimum_age"], said["maximum_age"]) == (1.0, 6.5)
    assert said["cost_options"][0]["amount"] == 19.99
    (capacity,) = said["capacities"]
    assert (capacity["available"], capacity["maximum"]) == (3, 40)
    assert [language["code"] for language in said["languages"]] == ["de", "gsg"]
    (schedule,) = said["schedules"]
    assert (schedule["byday"], schedule["opens_at"], schedule["closes_at"]) == (
        "MO,TU,WE,TH,FR",
        "07:00+01:00",
        "17:00+01:00",
    )
    (address,) = said["service_at_locations"][0]["location"]["addresses"]
    assert (address["city"], address["country"], address["state_province"]) == ("Coburg", "DE", "Bayern")
    rule = rrulestr(
        f"FREQ={schedule['freq']};BYDAY={schedule['byday']};COUNT=5", dtstart=datetime(2027, 1, 4)
    )
    assert [moment.weekday() for moment in rule] == [0, 1, 2, 3, 4]


def test_hours_say_how_far_the_town_is_from_utc_on_the_first_day_to_come() -> None:
    content = {"title": {"de": "A"}, "fields": {"hours": "Mo 07:00-24:00; PH off"}}
    offer = shown("kita", "h", {"title": {"de": "T"}}, content | {"period": {"start": "2027-06-01"}})
    (summer,) = schedules(FRAME, offer)
    assert (summer["opens_at"], summer["closes_at"], summer["timezone"]) == ("07:00+02:00", "23:59+02:00", 2)
    (later,) = schedules(replace(FRAME, today=date(2027, 12, 1)), offer)
    assert (later["opens_at"], later["timezone"]) == ("07:00+01:00", 1)
    assert later["id"] == summer["id"]


def test_a_date_is_a_rule_that_happens_once() -> None:
    content = {"title": {"de": "A"}, "dates": ["2027-06-01T18:00:00+02:00"]}
    (once,) = schedules(FRAME, shown("kita", "d", {"title": {"de": "T"}}, content))
    rule = f"FREQ={once['freq']};COUNT={once['count']}"
    (moment,) = rrulestr(rule, dtstart=datetime.fromisoformat(once["dtstart"]))
    assert (moment.date(), once["opens_at"], once["timezone"]) == (date(2027, 6, 1), "16:00Z", 0)


def test_accessibility_is_said_in_the_towns_words() -> None:
    place = {"lat": 50.1, "lon": 10.2, "accessibility": ["lift", "unheard-of"]}
    said = domain.full_location(FRAME, place)["accessibility"]
    assert [each["description"] for each in said] == ["Mit Aufzug", "unheard-of"]


def test_an_address_without_its_street_is_none() -> None:
    content = {"title": {"de": "A"}, "place": {"lat": 50.1, "lon": 10.2, "locality": "Coburg"}}
    said = domain.full_service(FRAME, WORDS, shown("kita", "c", {"title": {"de": "T"}}, content))
    assert "addresses" not in said["service_at_locations"][0]["location"]


def test_neighbours_share_a_location() -> None:
    place = {"lat": 50.1, "lon": 10.2, "street": "Markt 1"}
    assert domain.location(place)["id"] == domain.location(dict(place))["id"]
    assert domain.location(place)["id"] != domain.location(place | {"street": "Markt 2"})["id"]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("24/7", dict.fromkeys(DAYS, (("00:00", "24:00"),))),
        ("Mo-Fr 08:00-12:00,13:00-17:00; Fr 08:00-12:00", None),
        ("Mo-Su 10:00-18:00; We off", None),
        ("Sa-Mo 10:00-12:00", dict.fromkeys(("Sa", "Su", "Mo"), (("10:00", "12:00"),))),
        ("10:00-12:00", dict.fromkeys(DAYS, (("10:00", "12:00"),))),
        ("Su,PH 10:00-12:00; PH off", {"Su": (("10:00", "12:00"),)}),
    ],
)
def test_hours_by_weekday(hours: str, expected: dict[str, Any] | None) -> None:
    found = week(hours, MONDAY)
    if expected is not None:
        assert found == expected
    elif "off" in hours:
        assert "We" not in found
        assert len(found) == 6
    else:
        assert found["Fr"] == (("08:00", "12:00"),)
        assert found["Mo"] == (("08:00", "12:00"), ("13:00", "17:00"))


def test_a_night_belongs_to_its_evening() -> None:
    assert week("Fr 18:00-02:00", MONDAY) == {"Fr": (("18:00", "02:00"),)}
    assert week("Fr 18:00-02:00; Sa 10:00-12:00", MONDAY)["Sa"] == (("10:00", "12:00"),)


@pytest.mark.parametrize(
    "hours", ["nach Vereinbarung", "Mo[1] 18:00-20:00", "Mo-Fr 07:00-17:00; SH 09:00-12:00"]
)
def test_hours_that_are_no_rule_of_a_week_are_told_as_they_were_written(hours: str) -> None:
    content = {"title": {"de": "A"}, "fields": {"hours": hours}}
    (said,) = schedules(FRAME, shown("kita", "t", {"title": {"de": "T"}}, content))
    assert (said["description"], "freq" in said) == (hours, False)
