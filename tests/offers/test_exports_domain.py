"""Exports as values: cells that survive a spreadsheet, calendars and linked data that other programs understand."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import recurring_ical_events  # type: ignore[import-untyped]
from geojson_pydantic import FeatureCollection
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from pydantic import AwareDatetime
from pyld import jsonld as processor  # type: ignore[import-untyped]
from schema_org.registry import DATATYPES, PARENTS, PROPERTY_BY_SCHEMA

from cli.home import ROOT
from libs.imports.cells import guarded, joined, parted, unguarded
from libs.servicekit.errors import Invalid
from libs.servicekit.portal import Portal
from libs.town.places import SaidPlace
from services.offers.boards.commands import read_declarations
from services.offers.boards.domain import Declaration
from services.offers.exports import cursor, files
from services.offers.exports import jsonld as linked_data
from services.offers.exports.domain import EXCEL, Filter, Occasion, Shown, columns
from services.offers.exports.frame import Frame
from services.offers.offers.domain import OfferContent
from services.offers.places.domain import Left
from services.offers.standing import STANDING

BOARDS = {board.slug: board for board in read_declarations(ROOT / "city" / "boards")}
SCHEMA = "https://schema.org/"
TODAY = date(2026, 11, 2)
CONTENT: dict[str, Any] = {
    "title": {"de": "Töpfern, mit Ton; und Zeit", "en": "Pottery"},
    "summary": {"de": "Am Markt.\nOhne Eile."},
    "tags": ["Ton", "Zeit, viel"],
    "place": {
        "lat": 50.2587,
        "lon": 10.9644,
        "street": "Markt 1",
        "postcode": "96450",
        "locality": "Coburg",
        "accessibility": ["step-free"],
    },
    "period": {"start": "2027-03-01", "end": "2027-06-30"},
    "dates": ["2027-05-01T10:00:00Z", "2027-04-01T12:00:00+02:00"],
    "age": {"from_months": 72, "to_months": 144},
    "price_cents": 1250,
    "free_places": 3,
    "image": {"url": "https://toepfern.example/bild.jpg", "alt": {"de": "Hände im Ton"}},
    "fields": {"duration": 90, "languages": ["en", "sign"]},
}
PROVIDER = {"title": {"de": "Töpferei"}, "kind": None, "url": "https://toepfern.example", "place": None}


def frame(board: str) -> Frame:
    return Frame(
        BOARDS,
        ["de", "en"],
        ["de", "en"],
        "Musterstadt",
        "https://offers.example",
        BOARDS[board],
        today=TODAY,
    )


def shown(board: str, content: dict[str, Any] = CONTENT, **more: Any) -> Shown:
    plain: dict[str, Any] = {
        "id": "0190a000-0000-7000-8000-000000000001",
        "key": "k",
        "board": board,
        "version": 4,
        "status": "published",
        "published_at": datetime(2026, 11, 1, tzinfo=UTC),
        "changed_at": datetime(2026, 11, 2, 12, 30, tzinfo=UTC),
        "content": content,
        "provider_id": "0190a000-0000-7000-8000-000000000002",
        "provider": PROVIDER,
    }
    return Shown(**plain | more)


def written(kind: str, *offers: Shown, board: str = "ks-cob", chunk: int = 2) -> bytes:
    chunks = [list(offers[at : at + chunk]) for at in range(0, len(offers), chunk)]
    return b"".join(files.KINDS[kind].write(frame(board), chunks))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text("'=+-@\t\r\n＝", max_size=5)


@settings(max_examples=200, deadline=None)
@given(texts)
def test_a_guarded_text_is_no_formula_and_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab|\\'= ", max_size=6), min_size=1, max_size=4))
def test_a_list_in_one_cell_comes_back(words: list[str]) -> None:
    assert parted(joined(words)) == words


def test_backslashes_of_other_hands_stay() -> None:
    assert parted(r"C:\n|b") == [r"C:\n", "b"]


def test_csv_has_one_heading_for_each_language_and_field() -> None:
    evil = shown("ks-cob", CONTENT | {"title": {"de": '=HYPERLINK("http://x")'}, "price_cents": 0})
    rows = list(csv.DictReader(io.StringIO(written("csv", shown("ks-cob"), evil).decode(), newline="")))
    assert list(rows[0]) == columns(BOARDS["ks-cob"].fields, ["de", "en"])
    assert rows[0]["summary.de"] == "Am Markt.\nOhne Eile."
    assert rows[0]["fields.languages"] == "en|sign"
    assert rows[0]["place.lat"] == "50.2587"
    assert rows[0]["provider"] == "Töpferei"
    assert rows[1]["title.de"].startswith("'=")
    assert rows[1]["price_cents"] == "0"


def test_no_part_of_an_offer_lacks_its_column() -> None:
    names = {name.partition(".")[0] for name in columns(BOARDS["kita"].fields, ["de"])}
    assert names == {*OfferContent.model_fields, *STANDING, "key", "provider"}
    places = {name for name in columns([], ["de"]) if name.startswith("place.")}
    assert places == {f"place.{name}" for name in SaidPlace.model_fields}


def test_files_link_to_a_page_of_its_own_then_to_the_portal_then_to_the_api() -> None:
    towns = frame("kita")
    portal = replace(towns, portal=Portal("https://portal.example/angebote/{id}"))
    offer = shown("kita", {"title": {"de": "Kurs"}})
    own = shown("kita", {"title": {"de": "Kurs"}, "url": "https://kurs.example/"})
    assert portal.address(offer) == f"https://portal.example/angebote/{offer.id}"
    assert towns.address(offer) == f"https://offers.example/v1/offers/{offer.id}"
    assert portal.address(own) == "https://kurs.example/"


def test_csv_without_a_board_keeps_the_fields_in_one_column() -> None:
    bare = Frame(BOARDS, ["de"], ["de"], "Musterstadt", "https://offers.example", today=TODAY)
    text = b"".join(files.KINDS["csv"].write(bare, [[shown("kita"), shown("raum")]])).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["fields"] for row in rows] == ['{"duration":90,"languages":["en","sign"]}'] * 2


def test_a_map_holds_what_has_a_place() -> None:
    nowhere = shown("ks-cob", {"title": {"de": "Irgendwo"}, "place": {"locality": "Coburg"}})
    found: Any = FeatureCollection.model_validate_json(
        written("geojson", nowhere, shown("ks-cob"), shown("ks-cob"))
    )
    assert len(found.features) == 2
    feature = found.features[0]
    assert tuple(feature.geometry.coordinates) == (10.9644, 50.2587)
    assert feature.properties["title.de"] == CONTENT["title"]["de"]
    assert "place.lat" not in feature.properties


def test_an_empty_map_is_one_too() -> None:
    assert FeatureCollection.model_validate_json(written("geojson")).features == []


def test_dates_become_events_that_a_calendar_understands() -> None:
    calendar: Any = Calendar.from_ical(written("ics", shown("ks-cob")))
    assert calendar.errors == []
    assert calendar["refresh-interval"].to_ical() == b"PT1H"
    assert str(calendar["name"]) == str(calendar["x-wr-calname"]) == "Kulturbörse KS:COB"
    found: Any = recurring_ical_events.of(calendar).between(date(2027, 4, 1), date(2027, 4, 2))
    (event,) = found
    assert event["dtstart"].dt == datetime(2027, 4, 1, 10, tzinfo=UTC)
    assert event["dtend"].dt == datetime(2027, 4, 1, 11, 30, tzinfo=UTC)
    assert str(event["summary"]) == CONTENT["title"]["de"]
    assert str(event["location"]) == "Markt 1, 96450 Coburg"
    assert event["geo"].to_ical() == "50.2587;10.9644"
    assert int(event["sequence"]) == 4
    assert str(event["status"]) == "CONFIRMED"
    assert [str(word) for word in event["categories"].cats] == ["Kulturbörse KS:COB", "Ton", "Zeit, viel"]


def test_the_same_date_keeps_its_uid_whatever_is_said_of_it() -> None:
    otherwise = CONTENT | {"title": {"de": "Neu"}, "dates": ["2027-04-01T10:00:00Z", "2027-06-01T10:00:00Z"]}

    def uids(content: dict[str, Any]) -> dict[Any, str]:
        calendar: Any = Calendar.from_ical(written("ics", shown("ks-cob", content)))
        return {event["dtstart"].dt: str(event["uid"]) for event in calendar.events}

    before, after = uids(CONTENT), uids(otherwise)
    same = datetime(2027, 4, 1, 10, tzinfo=UTC)
    assert before[same] == after[same]
    assert len({*before.values(), *after.values()}) == 3


def test_sessions_stand_instead_of_dates_and_a_cancelled_one_says_so() -> None:
    start = datetime(2027, 4, 3, 8, tzinfo=UTC)
    hall = {"street": "Halle 2", "lat": 50.1, "lon": 10.1}
    held = Occasion(
        "0190a000-0000-7000-8000-00000000000a", start, start + timedelta(hours=2), venue=hall, version=1
    )
    off = replace(
        held,
        id="0190a000-0000-7000-8000-00000000000b",
        cancelled=True,
        reason="Der Ofen ist kaputt.",
        version=2,
    )
    calendar: Any = Calendar.from_ical(written("ics", shown("ks-cob", sessions=(held, off))))
    found = {str(event["uid"]): event for event in calendar.events}
    assert set(found) == {held.id, off.id}
    assert (found[held.id]["dtend"].dt, str(found[held.id]["location"])) == (held.ends_at, "Halle 2")
    assert str(found[off.id]["status"]) == "CANCELLED"
    assert str(found[off.id]["comment"]) == "Der Ofen ist kaputt."
    assert int(found[off.id]["sequence"]) == int(found[held.id]["sequence"]) + 1
    runs = expanded("ks-cob", sessions=(held, off))[f"{SCHEMA}hasCourseInstance"]
    assert [run[f"{SCHEMA}eventStatus"][0]["@id"].removeprefix(SCHEMA) for run in runs] == [
        "EventScheduled",
        "EventCancelled",
    ]


def test_counted_places_stand_instead_of_what_the_content_says() -> None:
    full = shown("ks-cob", counted=Left(0, 12, datetime(2026, 11, 3, tzinfo=UTC)))
    (row,) = csv.DictReader(io.StringIO(written("csv", full).decode(), newline=""))
    assert (row["free_places"], row["free_now"]) == ("3", "0")
    (offer,) = expanded("ks-cob", counted=full.counted)[f"{SCHEMA}offers"]
    assert offer[f"{SCHEMA}availability"] == [{"@id": f"{SCHEMA}SoldOut"}]


def test_a_period_is_an_event_where_the_board_says_so() -> None:
    content = {key: value for key, value in CONTENT.items() if key != "dates"}
    none: Any = Calendar.from_ical(written("ics", shown("ks-cob", content)))
    one: Any = Calendar.from_ical(written("ics", shown("ferien", content), board="ferien"))
    assert none.events == []
    (event,) = one.events
    assert (event["dtstart"].dt, event["dtend"].dt) == (date(2027, 3, 1), date(2027, 7, 1))


def no_network(url: str, _options: Any) -> Any:
    raise AssertionError(f"asked for {url}")


def expanded(board: str, content: dict[str, Any] = CONTENT, **more: Any) -> Any:
    document = linked_data.document(frame(board), shown(board, content, **more))
    (node,) = processor.expand(document, {"documentLoader": no_network})
    return node


@pytest.mark.parametrize("board", BOARDS)
def test_linked_data_needs_no_network_and_is_of_the_boards_type(board: str) -> None:
    node = expanded(board)
    said = BOARDS[board].standards
    assert said is not None
    assert f"{SCHEMA}{said.schema_type}" in node["@type"]
    assert {value["@language"]: value["@value"] for value in node[f"{SCHEMA}name"]} == CONTENT["title"]
    assert all(key.startswith((SCHEMA, "@")) for key in node)
    rdf = processor.to_rdf(node, {"format": "application/n-quads", "documentLoader": no_network})
    assert '"12.50"' in rdf
    assert f"{SCHEMA}PostalAddress" in rdf


def test_a_course_says_when_for_whom_and_for_how_much() -> None:
    node = expanded("ks-cob")
    assert node[f"{SCHEMA}typicalAgeRange"] == [{"@value": "6-12"}]
    assert [value["@value"] for value in node[f"{SCHEMA}inLanguage"]] == ["de", "en", "gsg"]
    assert len(node[f"{SCHEMA}hasCourseInstance"]) == 2
    (offer,) = node[f"{SCHEMA}offers"]
    assert offer[f"{SCHEMA}availability"] == [{"@id": f"{SCHEMA}InStock"}]
    (sold_out,) = expanded("ks-cob", CONTENT | {"free_places": 0})[f"{SCHEMA}offers"]
    assert sold_out[f"{SCHEMA}availability"] == [{"@id": f"{SCHEMA}SoldOut"}]


def test_opening_hours_are_said_rule_by_rule() -> None:
    node = expanded("kita", CONTENT | {"fields": {"hours": "Mo-Fr 07:00-17:00; Sa 09:00-12:00"}})
    assert [value["@value"] for value in node[f"{SCHEMA}openingHours"]] == [
        "Mo-Fr 07:00-17:00",
        "Sa 09:00-12:00",
    ]


def test_a_services_hours_are_said_day_by_day() -> None:
    node = expanded("familie", CONTENT | {"fields": {"hours": "Mo,We 09:00-12:00; Fr 18:00-24:00"}})
    found = [
        {
            key.removeprefix(SCHEMA): next(iter(value[0].values()))
            for key, value in each.items()
            if key != "@type"
        }
        for each in node[f"{SCHEMA}hoursAvailable"]
    ]
    day = f"{SCHEMA}%s"
    assert found == [
        {"dayOfWeek": day % "Monday", "opens": "09:00", "closes": "12:00"},
        {"dayOfWeek": day % "Wednesday", "opens": "09:00", "closes": "12:00"},
        {"dayOfWeek": day % "Friday", "opens": "18:00", "closes": "23:59"},
    ]
    (told,) = expanded("familie", CONTENT | {"fields": {"hours": "nach Vereinbarung"}})[
        f"{SCHEMA}hoursAvailable"
    ]
    assert told[f"{SCHEMA}description"] == [{"@value": "nach Vereinbarung"}]


def strangers(node: dict[str, Any]) -> Iterator[str]:
    """What schema.org does not know of a thing: properties that its types do not have, values of another kind."""
    types = [name.removeprefix(SCHEMA) for name in node.get("@type", [])]
    for key, values in node.items():
        if not key.startswith("@"):
            known = PROPERTY_BY_SCHEMA[key.removeprefix(SCHEMA)]
            if not {each for name in types for each in (name, *above(name))}.intersection(known.domains):
                yield f"{types} has no {known.schema_name}"
            for value in values:
                yield from misfits(known, value)


def misfits(known: Any, value: dict[str, Any]) -> Iterator[str]:
    kinds = [name.removeprefix(SCHEMA) for name in value.get("@type", []) if isinstance(value["@type"], list)]
    if kinds:
        if not {each for name in kinds for each in (name, *above(name))}.intersection(known.ranges):
            yield f"{known.schema_name} is no {kinds}"
        yield from strangers(value)
    elif "@value" in value and not DATATYPES.keys() & set(known.ranges):
        yield f"{known.schema_name} is no literal: {value['@value']}"


def above(name: str) -> Iterator[str]:
    for parent in PARENTS.get(name, ()):
        yield from (parent, *above(parent))


@pytest.mark.parametrize("board", BOARDS)
def test_schema_org_knows_every_property_where_it_stands(board: str) -> None:
    standards = BOARDS[board].standards
    assert standards is not None
    hours = {standards.hours: "Mo-Fr 07:00-17:00; Sa 09:00-12:00"} if standards.hours else {}
    full = CONTENT | {"fields": CONTENT["fields"] | hours | {standards.capacity or "none": 12}}
    undated = {name: value for name, value in full.items() if name != "dates"}
    for content in (full, undated, {"title": {"de": "Nur ein Titel"}}):
        assert list(strangers(expanded(board, content))) == []


def test_no_text_ends_the_script_that_linked_data_stands_in() -> None:
    evil = shown("ks-cob", CONTENT | {"title": {"de": "</script><script>alert(1)<!--&"}})
    text = written("jsonld", evil)
    assert b"<" not in text
    assert json.loads(text)["@graph"][0]["name"][0]["@value"] == "</script><script>alert(1)<!--&"


@pytest.mark.parametrize("board", BOARDS)
def test_every_event_of_a_calendar_lasts(board: str) -> None:
    bare = CONTENT | {"fields": {}}
    calendar: Any = Calendar.from_ical(written("ics", shown(board, bare), board=board))
    assert len(calendar.events) == 2
    for event in calendar.events:
        assert event["dtend"].dt - event["dtstart"].dt == timedelta(hours=1)
        assert str(event["comment"]) == "Das Ende ist nicht angegeben."
    (found,) = recurring_ical_events.of(calendar).between(date(2027, 4, 1), date(2027, 4, 2))
    assert str(found["summary"]) == CONTENT["title"]["de"]


def test_a_german_excel_opens_the_file_at_a_double_click() -> None:
    excel = replace(frame("ks-cob"), dialect=EXCEL)
    text = b"".join(files.KINDS["csv"].write(excel, [[shown("ks-cob")]]))
    assert text.startswith(b"\xef\xbb\xbfkey;id;")
    (row,) = csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""), delimiter=";")
    assert (row["place.lat"], row["price_cents"], row["title.de"]) == (
        "50,2587",
        "1250",
        CONTENT["title"]["de"],
    )


def test_many_offers_are_one_graph() -> None:
    document = json.loads(written("jsonld", *[shown("ks-cob", id=str(uuid4())) for n in range(5)]))
    assert len(processor.expand(document, {"documentLoader": no_network})) == 5


def test_a_filter_takes_any_of_its_values_and_all_of_its_names() -> None:
    content = {"fields": {"level": ["easy", "hard"], "online": True, "size": 3}}
    assert Filter(facets={"level": frozenset({"hard", "none"}), "online": frozenset({"true"})}).admits(
        content
    )
    assert not Filter(facets={"level": frozenset({"hard"}), "online": frozenset({"false"})}).admits(content)
    assert Filter(facets={"size": frozenset({"3"})}).admits(content)
    assert not Filter(facets={"absent": frozenset({"x"})}).admits(content)


moments = st.datetimes(timezones=st.just(UTC))


@settings(max_examples=50, deadline=None)
@given(moments, st.uuids())
def test_a_cursor_comes_back(moment: AwareDatetime, thing: Any) -> None:
    assert cursor.parse(cursor.write(moment, str(thing))) == (moment, str(thing))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30) | st.text(max_size=30).map(lambda text: f"c{text}"))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with suppress(Invalid):
        cursor.parse(text)


def test_an_instant_whose_plus_became_a_space_is_understood() -> None:
    assert cursor.parse("2027-01-01T00:00:00 01:00")[0] == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_an_instant_behind_the_end_of_time_is_refused() -> None:
    with pytest.raises(Invalid):
        cursor.parse("9999-12-31T23:59:59-12:00")


def test_a_board_names_only_fields_that_it_has() -> None:
    said = {"slug": "b", "title": {"de": "B"}, "standards": {"schema_type": "Event", "duration": "minutes"}}
    with pytest.raises(ValueError, match="standards name unknown fields: minutes"):
        Declaration.model_validate(said)


def test_every_board_of_the_town_has_its_standards() -> None:
    assert {
        slug: board.standards.schema_type for slug, board in BOARDS.items() if board.standards
    }.keys() == BOARDS.keys()
