"""Exports through HTTP: everything public and nothing else, importable again, and changes of which none is missed."""

import csv
import io
import json
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from geojson_pydantic import FeatureCollection
from icalendar import Calendar
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from sqlalchemy import insert

from cli.home import ROOT
from libs.servicekit.db import Database, now
from services.offers.boards.commands import follow, read_declarations
from services.offers.exports import files
from services.offers.exports.domain import Filter
from services.offers.exports.frame import Frame
from services.offers.exports.queries import chunks
from services.offers.offers.models import Offer
from tests.offers.conftest import COURSE, PUBLISHER, Offers
from tests.offers.test_offers import FULL
from tests.offers.test_sessions import do, one_of
from tests.service import problem
from tests.waiting import until

FORMS = ("csv", "jsonl", "geojson", "jsonld", "ics")
MEDIA = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "geojson": "application/geo+json",
    "jsonld": "application/ld+json",
    "ics": "text/calendar",
}
# What a line of the JSON Lines file must be; our own words, checked by somebody else's validator.
LINE = Draft202012Validator(
    {
        "type": "object",
        "required": ["key", "id", "board", "version", "published_at", "changed_at", "title"],
        "properties": {
            "key": {"type": "string", "minLength": 1},
            "id": {"type": "string", "format": "uuid"},
            "board": {"const": "course"},
            "version": {"type": "integer", "minimum": 1},
            "published_at": {"type": "string", "format": "date-time"},
            "changed_at": {"type": "string", "format": "date-time"},
            "provider_id": {"type": ["string", "null"]},
            "provider": {"type": "object", "required": ["title"]},
            "title": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
            "fields": {"type": "object", "required": ["level"]},
            "dates": {"type": "array", "items": {"type": "string", "format": "date-time"}},
            "price_cents": {"type": "integer"},
        },
    }
)
RICH: list[dict[str, Any]] = [
    FULL
    | {
        "key": "full",
        "price_per": "group",
        "provider": {"title": {"de": "Töpferei", "en": "Pottery"}, "kind": "Verein"},
    },
    {
        "key": "=1+1",
        "title": {"de": '=HYPERLINK("http://x")', "tr": "  Çömlek\nkursu "},
        "summary": {"de-simple": "'+49"},
        "tags": ["a|b", "back\\slash", "@home"],
        "place": {"lat": -1.5, "lon": -0.25, "district": "Innenstadt"},
        "image": {"url": "https://x.example/a.jpg", "alt": {"en": "-"}},
        "fields": {"level": "easy", "note": "-1\n\n  x", "hours_total": 2.5, "online": True, "open": "24/7"},
    },
    {"key": "3", "title": {"en": "Only English"}, "fields": {"level": "easy", "begins": "2027-01-01"}},
]


def get(service: Offers, form: str, *roles: str, **params: Any) -> Any:
    answer = service.call("GET", f"/v1/exports/offers.{form}", None, *roles, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].split(";")[0] == MEDIA[form]
    return answer


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def source(service: Offers, request: pytest.FixtureRequest) -> str:
    """A source of the test's own, with rows that say everything an offer can say."""
    name = f"x{abs(hash(request.node.nodeid)) % 10**12}"
    body = b"".join(json.dumps(row).encode() + b"\n" for row in RICH)
    done = service.imported(body, kind="application/x-ndjson", source=name)
    assert (done["created"], done["broken"]) == (3, 0), service.report(done["id"])
    return name


@pytest.mark.parametrize(("form", "kind"), [("csv", "text/csv"), ("jsonl", "application/x-ndjson")])
def test_what_is_exported_can_be_imported_again(service: Offers, source: str, form: str, kind: str) -> None:
    exported = get(service, form, "editor", board="course", source=source).content
    again = service.imported(exported, kind=kind, source=source)
    assert service.report(again["id"]) == []
    assert (again["unchanged"], again["changed"], again["created"]) == (3, 0, 0)
    elsewhere = f"{source}b"
    assert service.imported(exported, kind=kind, source=elsewhere)["created"] == 3
    there = lines(get(service, "jsonl", "editor", board="course", source=elsewhere).text)
    stands = {
        "id",
        "version",
        "published_at",
        "changed_at",
        "provider_id",
        "provider",
        "free_now",
        "checked_on",
    }
    said = [{name: value for name, value in row.items() if name not in stands} for row in there]
    assert [row.get("provider") for row in there] == [row.get("provider") for row in RICH]
    assert said == [{"board": "course"} | {k: v for k, v in row.items() if k != "provider"} for row in RICH]


def test_lines_are_as_their_schema_says(service: Offers, source: str) -> None:
    found = lines(get(service, "jsonl", "editor", source=source).text)
    assert [row["key"] for row in found] == ["full", "=1+1", "3"]
    assert [error.message for row in found for error in LINE.iter_errors(row)] == []


def test_keys_of_a_source_are_for_editors(service: Offers, source: str) -> None:
    problem(service.call("GET", f"/v1/exports/offers.csv?source={source}", None), 403)
    problem(service.call("GET", f"/v1/exports/offers.csv?source={source}", None, "provider"), 403)
    provider = lines(get(service, "jsonl", "editor", source=source).text)[0]["provider_id"]
    (row,) = table(get(service, "csv", provider_id=provider).text)
    assert row["key"] == row["id"]


def test_the_heading_names_every_language_and_field(service: Offers, source: str) -> None:
    text = get(service, "csv", "editor", board="course", source=source).text
    heading = text.splitlines()[0].split(",")
    assert heading[:3] == ["key", "id", "board"]
    assert [name for name in heading if name.startswith("title.")] == [
        "title.de",
        "title.en",
        "title.de-simple",
        "title.tr",
    ]
    assert heading[-9:] == [
        f"fields.{name}"
        for name in ("level", "topics", "size", "hours_total", "online", "note", "begins", "plan", "open")
    ]
    cells = [cell for row in table(text) for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))]


@pytest.mark.parametrize("form", FORMS)
def test_drafts_and_withdrawn_offers_are_in_no_file(service: Offers, form: str) -> None:
    provider = service.provider(f"Geheim {form}")
    service.draft(FULL | {"title": {"de": "Zu sehen"}}, provider, publish=True)
    service.draft(FULL | {"title": {"de": "Entwurf"}}, provider)
    gone = service.draft(FULL | {"title": {"de": "Zurückgezogen"}}, provider, publish=True)
    service.move(gone, "withdraw", 1, "editor")
    for roles in ((), ("editor",)):
        text = get(service, form, *roles, provider_id=provider).text
        assert "Zu sehen" in text
        assert "Entwurf" not in text
        assert "Zurückgezogen" not in text


def test_facets_filter_and_what_is_none_is_refused(service: Offers) -> None:
    provider = service.provider("Filter")
    fields = [
        {"level": "easy", "topics": ["art", "sport"], "online": True},
        {"level": "hard", "topics": ["art"], "online": False},
        {"level": "hard"},
    ]
    for own in fields:
        service.draft(COURSE | {"fields": own}, provider, publish=True)

    def count(**params: Any) -> int:
        found = get(service, "jsonl", board="course", provider_id=provider, **params)
        return len(lines(found.text))

    assert count(topics="art") == 2
    assert count(topics="art", online="false") == 1
    assert count(level=["easy", "hard"]) == 3
    assert count(topics="sport", level="hard") == 0
    body = problem(service.http.get("/v1/exports/offers.csv?board=course&note=x"), 422)
    assert body["errors"] == [{"field": "note", "reason": "no filter of board course"}]
    problem(service.http.get("/v1/exports/offers.csv?level=easy"), 422)
    problem(service.http.get("/v1/exports/offers.csv?board=nowhere"), 404)
    problem(service.http.get("/v1/exports/offers.xml"), 422)


def test_updated_since_leaves_out_what_did_not_change(service: Offers) -> None:
    provider = service.provider("Seit")
    service.draft(COURSE, provider, publish=True)
    between = datetime.now(UTC).isoformat()
    new = service.draft(COURSE, provider, publish=True)
    found = lines(get(service, "jsonl", provider_id=provider, updated_since=between).text)
    assert [row["id"] for row in found] == [new]
    problem(service.http.get("/v1/exports/offers.csv?updated_since=9999-12-31T23:59:59-12:00"), 422)


def test_an_unchanged_file_is_not_sent_again(service: Offers) -> None:
    provider = service.provider("Marke")
    service.draft(COURSE, provider, publish=True)
    path = f"/v1/exports/offers.ics?provider_id={provider}"
    etag = service.http.get(path).headers["ETag"]
    assert service.http.get(path, headers={"If-None-Match": etag}).status_code == 304
    offer = service.draft(COURSE, provider, publish=True)
    newer = service.http.get(path, headers={"If-None-Match": etag})
    assert newer.status_code == 200
    service.move(offer, "withdraw", 1, "editor")
    known = f"{etag}, {newer.headers['ETag']}"
    assert service.http.get(path, headers={"If-None-Match": known}).status_code in (200, 304)
    assert service.http.get(path, headers={"If-None-Match": newer.headers["ETag"]}).status_code == 200
    other = service.http.get(path.replace("ics", "csv"), headers={"If-None-Match": newer.headers["ETag"]})
    assert other.status_code == 200, "another file has another mark"


def test_maps_and_calendars_are_read_by_others(service: Offers) -> None:
    provider = service.provider("Karte")
    service.draft(FULL, provider, publish=True)
    service.draft(COURSE, provider, publish=True)
    answer = get(service, "geojson", provider_id=provider, board="course")
    collection: Any = FeatureCollection.model_validate_json(answer.content)
    (feature,) = collection.features
    assert feature.properties["fields.level"] == "hard"
    calendar: Any = Calendar.from_ical(get(service, "ics", provider_id=provider, lang="en").content)
    assert {str(event["summary"]) for event in calendar.walk("VEVENT")} == {"Pottery"}
    assert len(calendar.walk("VEVENT")) == 2


def test_sessions_are_events_and_cancelled_ones_say_so(service: Offers) -> None:
    provider = service.provider("Termine")
    offer = service.draft(FULL, provider, publish=True)
    start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=3)
    held, off = (one_of(service, offer, start=start + timedelta(days=days)) for days in (0, 1))
    path = f"/v1/exports/offers.ics?provider_id={provider}"
    before = service.http.get(path)
    assert do(service, off, "cancel", 1, {"reason": "Der Ofen ist kaputt."}).status_code == 200
    after = service.http.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    calendars: list[Any] = [Calendar.from_ical(answer.content) for answer in (before, after)]
    was, now_ = ({str(event["uid"]): event for event in calendar.events} for calendar in calendars)
    assert set(was) == set(now_) == {held, off}
    assert (now_[held]["dtstart"].dt, now_[held]["dtend"].dt) == (start, start + timedelta(hours=2))
    assert [str(was[off]["status"]), str(now_[off]["status"])] == ["CONFIRMED", "CANCELLED"]
    assert int(now_[off]["sequence"]) > int(was[off]["sequence"])
    (only,) = (
        schedule
        for schedule in service.http.get(f"/hsds/services/{offer}").json()["schedules"]
        if "dtstart" in schedule
    )
    assert only["dtstart"] == f"{start:%Y-%m-%d}"


def test_linked_data_of_an_offer_and_not_of_a_draft(service: Offers) -> None:
    offer = service.draft(FULL, publish=True)
    answer = service.http.get(f"/v1/offers/{offer}/jsonld")
    assert answer.headers["Content-Type"] == "application/ld+json"
    assert answer.json()["@type"] == "Course"
    draft = service.draft(FULL)
    problem(service.call("GET", f"/v1/offers/{draft}/jsonld", None, "editor"), 404)


def test_providers_and_boards_are_files_too(service: Offers) -> None:
    body = {"title": {"de": "=Amt"}, "kind": "Behörde", "place": {"lat": 50.1, "lon": 10.2}}
    provider = service.call("POST", "/v1/providers", body, "editor").json()["id"]
    row = next(
        row for row in table(service.http.get("/v1/exports/providers.csv").text) if row["id"] == provider
    )
    assert (row["title.de"], row["kind"], row["place.lat"]) == ("'=Amt", "Behörde", "50.1")
    found = lines(service.http.get("/v1/exports/providers.jsonl").text)
    assert next(each for each in found if each["id"] == provider)["title"] == body["title"]
    listed = lines(service.http.get("/v1/exports/boards.jsonl").text)
    assert {"course", "kita"} <= {board["slug"] for board in listed}
    (course,) = (
        row for row in table(service.http.get("/v1/exports/boards.csv").text) if row["slug"] == "course"
    )
    assert course["fields"].split("|")[:2] == ["level", "topics"]


def changes(
    service: Offers, since: str, kind: str = "offers", **params: Any
) -> tuple[list[dict[str, Any]], str]:
    """Everything that changed since, and where to go on."""
    found: list[dict[str, Any]] = []
    more = True
    while more:
        query = {"since": since, **params}
        answer = service.http.get(f"/v1/exports/{kind}/changes", params=query).json()
        found, since, more = found + answer["items"], answer["next"], answer["more"]
    return found, since


def test_changes_end_with_tombstones(service: Offers) -> None:
    since = datetime.now(UTC).isoformat()
    kept = service.draft(FULL, publish=True)
    gone = service.draft(FULL, publish=True)
    never = service.draft(FULL)
    service.move(never, "withdraw", 1, "editor")
    service.move(gone, "withdraw", 1, "editor")
    found: dict[str, Any] = {}

    def both() -> bool:
        items, _ = changes(service, since, limit=1, board="course")
        found.update({item["id"]: item for item in items})
        return gone in found and kept in found

    until(both, 20)
    assert found[kept]["status"] == "published"
    assert found[kept]["now"]["title"] == FULL["title"]
    assert (found[gone]["status"], found[gone]["version"], found[gone]["now"]) == ("withdrawn", 2, None)
    assert never not in found, "what was never public leaves no tombstone"
    service.move(gone, "submit", 2, "editor")
    until(
        lambda: [each for each in changes(service, since)[0] if each["id"] == gone and each["version"] == 3]
    )
    again = {each["id"]: each for each in changes(service, since)[0]}
    assert (again[gone]["status"], again[gone]["now"]) == ("withdrawn", None)


def test_no_change_is_missed_by_whoever_asks_again_and_again(service: Offers) -> None:
    since, seen = datetime.now(UTC).isoformat(), list[str]()
    made = []
    for number in range(6):
        made.append(service.draft(COURSE | {"title": {"de": f"Nr. {number}"}}, publish=True))
        items, since = changes(service, since, limit=2)
        seen += [item["id"] for item in items]

    def all_seen() -> bool:
        nonlocal since
        items, since = changes(service, since, limit=2)
        seen.extend(item["id"] for item in items)
        return set(made) <= set(seen)

    until(all_seen, 20)
    assert len(seen) == len(set(seen)), "and none is told twice"


def test_a_transaction_that_ends_late_is_not_passed_over(service: Offers) -> None:
    """The earlier of two changes is committed last, behind the back of whoever read the later one."""
    if not service.db.engine.url.drivername.startswith("postgresql"):
        pytest.skip("SQLite lets one writer follow the other")
    early, late = service.draft(COURSE, publish=True), service.draft(COURSE, publish=True)
    until(lambda: {early, late} <= {each["id"] for each in changes(service, "1970-01-01T00:00:00Z")[0]}, 20)
    _, since = changes(service, "1970-01-01T00:00:00Z")
    with service.db.transaction() as slow:
        offer = slow.get(Offer, early)
        assert offer is not None
        offer.changed_at, offer.version = now(), 7
        slow.flush()
        body = COURSE | {"title": {"de": "Danach"}}
        assert service.call("PUT", f"/v1/offers/{late}", body, "editor", version=1).status_code == 200
        seen, since = _watch(service, since, 3)
        assert late not in seen, "a later change waits for an earlier one that is still open"
    until(lambda: {early, late} <= set(_watch(service, since, 1)[0]), 20)


def _watch(service: Offers, since: str, times: int) -> tuple[list[str], str]:
    seen = []
    for _ in range(times):
        items, since = changes(service, since)
        seen += [item["id"] for item in items]
        time.sleep(1)
    return seen, since


def test_a_provider_that_left_is_a_tombstone(service: Offers) -> None:
    since = datetime.now(UTC).isoformat()
    stays, leaves = service.provider("Bleibt"), service.provider("Geht")
    assert service.call("DELETE", f"/v1/providers/{leaves}", None, "editor", version=1).status_code == 204

    def told() -> bool:
        found = {each["id"]: each["now"] for each in changes(service, since, "providers")[0]}
        return stays in found and found.get(leaves, 0) is None

    until(told, 20)


@pytest.mark.parametrize(
    "since",
    [
        "yesterday",
        "c",
        "cAAAA",
        quote("2027-01-01"),
        "2027-13-01T00:00:00Z",
        "cMjAyNi0wMS0wMVQwMDowMDowMFogAA==",
    ],
)
def test_a_cursor_of_other_hands_is_refused(service: Offers, since: str) -> None:
    problem(service.http.get(f"/v1/exports/offers/changes?since={since}"), 422)


def test_memory_does_not_follow_the_length_of_a_file(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'many.db'}", PUBLISHER)
    db.migrate(ROOT / "services" / "offers" / "migrations")
    boards = {board.slug: board for board in read_declarations(ROOT / "tests" / "offers" / "city" / "boards")}
    with db.transaction() as session:
        follow(session, list(boards.values()))
        session.flush()
        session.execute(insert(Offer), [row(number) for number in range(4_000)])
    frame = Frame(
        boards,
        ["de"],
        ["de"],
        "Musterstadt",
        "https://offers.example",
        boards["course"],
        today=date(2026, 11, 2),
    )
    peaks = [peak(db, frame, limit) for limit in (500, 4_000)]
    db.dispose()
    assert peaks[1] < peaks[0] * 1.5


def row(number: int) -> dict[str, Any]:
    moment = now()
    stands = {"id": f"{number:08}", "board": "course", "status": "published", "version": 1, "pruned": False}
    content = {"title": {"de": f"Kurs {number}"}, "text": {"de": "Wort " * 50}, "fields": {"level": "easy"}}
    return stands | {"content": content, "created_at": moment, "changed_at": moment, "published_at": moment}


def peak(db: Database, frame: Frame, count: int) -> int:
    """The most memory that the first `count` offers take on their way into a file."""
    tracemalloc.start()
    some = islice(chunks(db, Filter("course")), count // 500)
    size = sum(len(piece) for piece in files.KINDS["csv"].write(frame, some))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > count * 250
    return most
