"""Slips of the pen: what cannot be is refused, what may be is taken with a notice, and one bad thing ends no file."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest

from services.offers.offers.models import Offer
from tests.offers.booking import dated
from tests.offers.conftest import COURSE, Offers
from tests.offers.test_openings import trip
from tests.service import problem


def created(service: Offers, place: dict[str, Any], **fields: Any) -> Any:
    content = COURSE | {"place": place, "fields": COURSE["fields"] | fields}
    return service.call("POST", "/v1/offers", {"board": "course", "content": content}, "editor")


@pytest.mark.parametrize(
    ("place", "codes"),
    [
        ({"lat": 50.26, "lon": 10.96}, []),
        ({"lat": 10.96, "lon": 50.25}, ["coordinates-swapped"]),
        ({"lat": 0, "lon": 0}, ["coordinates-zero"]),
        ({"lat": 52.5, "lon": 13.4}, ["coordinates-far"]),
    ],
)
def test_coordinates_that_can_hardly_be_meant_are_told(
    service: Offers, place: dict[str, Any], codes: list[str]
) -> None:
    answer = created(service, place)
    assert answer.status_code == 201, answer.text
    found = answer.json()["notices"]
    assert [notice["code"] for notice in found] == codes
    assert all(notice["text"]["de"] and notice["field"] == "place.lat" for notice in found)
    assert service.get(answer.json()["id"], "editor").json()["notices"] == found


@pytest.mark.parametrize("way", ["offers", "providers", "sessions"])
@pytest.mark.parametrize("place", [{"lat": 50.2}, {"lon": 10.9}, {"lat": "50,2587", "lon": 10.9}])
def test_coordinates_come_together_and_with_a_point(service: Offers, way: str, place: dict[str, Any]) -> None:
    if way == "offers":
        answer = created(service, place)
    elif way == "providers":
        answer = service.call("POST", "/v1/providers", {"title": {"de": "T"}, "place": place}, "editor")
    else:
        start = datetime(2027, 5, 3, 10, tzinfo=UTC)
        times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
        path = f"/v1/offers/{service.draft()}/sessions"
        answer = service.call("POST", path, times | {"venue": place}, "editor")
    reasons = [error["reason"] for error in problem(answer, 422)["errors"]]
    assert any(("together" in reason) or ("point" in reason) for reason in reasons), reasons


def test_hours_that_nobody_can_evaluate_are_kept_with_a_notice(service: Offers) -> None:
    answer = created(service, {"lat": 50.26, "lon": 10.96}, open="nach Vereinbarung")
    assert answer.json()["content"]["fields"]["open"] == "nach Vereinbarung"
    assert [(n["field"], n["code"]) for n in answer.json()["notices"]] == [("fields.open", "hours-as-text")]
    assert created(service, {"lat": 50.26, "lon": 10.96}, open="Mo[1] 18:00-20:00").json()["notices"] == []


@pytest.mark.parametrize("form", ["csv", "jsonl", "geojson", "jsonld", "ics"])
def test_one_bad_thing_ends_no_file(service: Offers, form: str) -> None:
    """What an earlier release took, or a hand in the database left behind."""
    good, lone, broken = (trip(service, place={"lat": 50.26, "lon": 10.96}) for _ in range(3))
    for offer in (good, lone, broken):
        dated(service, offer, 3)
    with service.db.transaction() as session:
        row = session.get_one(Offer, lone)
        row.content = row.content | {"place": {"lat": 50.26}}
        row = session.get_one(Offer, broken)
        kept, row.content = row.content, row.content | {"place": "?", "dates": ["?"]}
    try:
        text = service.call("GET", f"/v1/exports/offers.{form}?board=trip").text
        assert good in text or form == "ics"
        whole = {"geojson": "]}", "jsonld": "]}", "ics": "END:VCALENDAR"}.get(form, "")
        assert text.rstrip().endswith(whole)
        if form == "ics":
            assert len(icalendar.Calendar.from_ical(text).events) >= 2
            for more in ("format=ndjson", "per_page=100"):
                assert good in service.call("GET", f"/hsds/services?search=Ausflug&full=true&{more}").text
    finally:
        with service.db.transaction() as session:
            session.get_one(Offer, broken).content = kept


def test_the_same_date_twice_is_refused(service: Offers) -> None:
    offer = service.draft(publish=True)
    times = {"starts_at": "2027-05-03T10:00", "ends_at": "2027-05-03T11:00"}
    path = f"/v1/offers/{offer}/sessions"
    assert service.call("POST", path, times, "editor").status_code == 201
    assert problem(service.call("POST", path, times, "editor"), 422)["errors"][0]["field"] == "starts_at"
    series = times | {
        "starts_at": "2027-05-02T10:00",
        "ends_at": "2027-05-02T11:00",
        "repeat": {"rule": "FREQ=DAILY;COUNT=3"},
    }
    problem(service.call("POST", path, series, "editor"), 422)
    elsewhere = times | {"venue": {"street": "Markt 1"}}
    assert service.call("POST", path, elsewhere, "editor").status_code == 201
    twice = COURSE | {"dates": ["2027-05-03T10:00:00Z", "2027-05-03T12:00:00+02:00"]}
    body = {"board": "course", "content": twice}
    assert problem(service.call("POST", "/v1/offers", body, "editor"), 422)["errors"][0]["field"] == "dates"


def test_a_rule_may_be_copied_with_its_name(service: Offers) -> None:
    body = {
        "starts_at": "2027-05-03T10:00",
        "ends_at": "2027-05-03T11:00",
        "repeat": {"rule": "RRULE:FREQ=DAILY;COUNT=3"},
    }
    answer = service.call("POST", f"/v1/offers/{service.draft(publish=True)}/sessions", body, "editor")
    assert len(answer.json()["items"]) == 3, answer.text


def test_an_offer_and_a_date_have_a_calendar_of_their_own(service: Offers) -> None:
    offer = trip(service)
    first, second = dated(service, offer, 3, 3)
    whole = service.call("GET", f"/v1/offers/{offer}/calendar.ics")
    assert whole.headers["Content-Type"].startswith("text/calendar")
    assert {str(event["uid"]) for event in icalendar.Calendar.from_ical(whole.text).events} == {first, second}
    one = service.call("GET", f"/v1/sessions/{second}/calendar.ics")
    assert [str(event["uid"]) for event in icalendar.Calendar.from_ical(one.text).events] == [second]
    problem(service.call("GET", f"/v1/offers/{trip(service)}/calendar.ics"), 404)


def test_a_date_that_only_the_content_names_has_its_file_by_its_beginning(service: Offers) -> None:
    offer = trip(service, dates=["2027-03-01T09:00:00Z", "2027-03-08T09:00:00Z"])
    path = f"/v1/offers/{offer}/calendar.ics"
    assert service.call("GET", path).text.count("BEGIN:VEVENT") == 2
    one = service.call("GET", path, params={"begins": "2027-03-08T10:00:00+01:00"}).text
    assert one.count("BEGIN:VEVENT") == 1 and "DTSTART:20270308T090000Z" in one
    problem(service.call("GET", path, params={"begins": "2027-03-09T09:00:00Z"}), 404)
