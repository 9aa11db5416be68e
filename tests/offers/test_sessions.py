"""Sessions through HTTP: dates and series of an offer, what is told of them, and what the offer's card says."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from services.offers.offers.models import Offer
from services.offers.sessions import commands
from services.offers.sessions.models import OfferSession
from tests.offers.conftest import COURSE, Offers
from tests.service import problem

SOON = (datetime.now(UTC) + timedelta(days=30)).replace(hour=9, minute=0, second=0, microsecond=0)
VENUE = {"lat": 50.2601, "lon": 10.9652, "street": "Herrngasse 17", "accessibility": ["lift"]}


def at(start: datetime = SOON, **more: Any) -> dict[str, Any]:
    return {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=2)).isoformat(), **more}


def given_dates(service: Offers, offer: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = service.call("POST", f"/v1/offers/{offer}/sessions", body, "editor")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert ("ETag" in answer.headers) == (len(found["items"]) == 1 and not found["series_id"])
    return found


def one_of(service: Offers, offer: str, **more: Any) -> str:
    return str(given_dates(service, offer, at(**more))["items"][0]["id"])


def do(service: Offers, session: str, step: str, version: int, body: Any, *roles: str, **more: Any) -> Any:
    path, method = (f"/v1/sessions/{session}/{step}", "POST") if step else (f"/v1/sessions/{session}", "PUT")
    return service.call(method, path, body, *(roles or ("editor",)), version=version, **more)


def dates_shown(service: Offers, offer: str) -> list[str]:
    """The dates that the newest card of an offer shows."""
    return list(service.facts(offer, "offer")[-1]["data"]["card"].get("dates", []))


def test_the_whole_life_of_a_session(service: Offers) -> None:
    offer = service.draft(publish=True)
    session = one_of(service, offer, venue=VENUE, places_max=12)
    assert len(dates_shown(service, offer)) == 1
    seen = service.call("GET", f"/v1/sessions/{session}")
    assert (seen.headers["ETag"], seen.json()["venue"]["street"]) == ('"1"', "Herrngasse 17")
    changed = do(service, session, "", 1, {"venue": VENUE | {"accessibility": []}, "places_max": 10})
    assert changed.headers["ETag"] == '"2"'
    later = SOON + timedelta(days=1)
    moved = do(service, session, "move", 2, at(later, reason="Der Saal ist belegt."))
    assert (moved.json()["version"], moved.json()["venue"]["street"]) == (3, "Herrngasse 17")
    assert [datetime.fromisoformat(shown) for shown in dates_shown(service, offer)] == [later]
    cancelled = do(service, session, "cancel", 3, {"reason": "Krankheit."}).json()
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "Krankheit.")
    assert dates_shown(service, offer) == []
    assert service.told(session) == [("scheduled", 1), ("changed", 2), ("moved", 3), ("cancelled", 4)]
    check_facts(service.facts(session), offer, later)
    problem(do(service, session, "cancel", 4, {"reason": "Noch einmal."}), 409)
    assert service.call("GET", f"/v1/sessions/{session}").json()["reason"] == "Krankheit."


def check_facts(found: list[dict[str, Any]], offer: str, later: datetime) -> None:
    scheduled, changed, moved, cancelled = (fact["data"] for fact in found)
    assert (scheduled["offer_id"], scheduled["board"], scheduled["places_max"]) == (offer, "course", 12)
    assert changed["places_max"] == 10
    assert datetime.fromisoformat(moved["earlier_starts_at"]) == SOON
    assert datetime.fromisoformat(moved["starts_at"]) == later
    assert moved["reason"] == "Der Saal ist belegt."
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "Krankheit.")
    assert datetime.fromisoformat(cancelled["starts_at"]) == later


def test_a_series_keeps_its_time_and_leaves_out_the_holidays(service: Offers) -> None:
    year = date.today().year + 1
    offer = service.draft(publish=True)
    body = {
        "starts_at": f"{year}-01-05T16:00",
        "ends_at": f"{year}-01-05T17:30",
        "repeat": {"rule": "FREQ=DAILY;COUNT=4", "skip": ["public_holidays"], "exdates": [f"{year}-01-08"]},
        "places_max": 8,
    }
    made = given_dates(service, offer, body)
    assert [item["starts_at"] for item in made["items"]] == [
        f"{year}-01-05T15:00:00Z",
        f"{year}-01-07T15:00:00Z",
    ]
    assert made["left_out"] == [
        {"day": f"{year}-01-06", "because": "public_holidays"},
        {"day": f"{year}-01-08", "because": "exdates"},
    ]
    assert {item["series_id"] for item in made["items"]} == {made["series_id"]}
    assert len(dates_shown(service, offer)) == 2
    assert service.facts(offer, "offer")[-1]["data"]["card"]["free_places"] == 16


def test_what_is_left_of_a_series_is_cancelled_from_a_day_on(service: Offers) -> None:
    offer = service.draft(publish=True)
    body = at(repeat={"rule": "FREQ=DAILY;COUNT=4"}, places_max=5)
    made = given_dates(service, offer, body)
    alone = one_of(service, offer, places_max=2, venue={"street": "Markt 1"})
    path = f"/v1/offers/{offer}/series/{made['series_id']}/cancel"
    order = {"since": (SOON + timedelta(days=2)).date().isoformat(), "reason": "Der Verein macht Pause."}
    problem(service.call("POST", path, order, "editor", version=1), 412)
    answer = service.call("POST", path, order, "editor", version=3)
    kept, gone = made["items"][:2], made["items"][2:]
    assert [item["id"] for item in answer.json()["items"]] == [item["id"] for item in gone]
    assert service.told(gone[0]["id"]) == [("scheduled", 1), ("cancelled", 2)]
    assert service.told(kept[0]["id"]) == service.told(alone) == [("scheduled", 1)]
    assert len(dates_shown(service, offer)) == 3
    problem(service.call("POST", path, order, "editor", version=4), 404)


def test_an_offer_without_a_place_is_found_where_it_takes_place(service: Offers) -> None:
    offer, fixed = (
        service.draft(publish=True),
        service.draft(COURSE | {"place": {"street": "Markt 1"}}, publish=True),
    )
    for each in (offer, fixed):
        one_of(service, each)
        one_of(service, each, start=SOON + timedelta(days=1), venue=VENUE)
    shown, kept = (service.facts(each, "offer")[-1]["data"]["card"]["place"] for each in (offer, fixed))
    assert (shown["lat"], shown["accessibility"]) == (VENUE["lat"], ["lift"])
    assert kept["street"] == "Markt 1"


def test_nobody_hears_of_the_dates_of_a_draft(service: Offers) -> None:
    provider = service.provider("Mein")
    offer = service.draft(provider=provider)
    kept, gone = one_of(service, offer), one_of(service, offer, start=SOON + timedelta(days=1))
    do(service, gone, "cancel", 1, {"reason": "Doch nicht."})
    path = f"/v1/offers/{offer}/sessions"
    for where in (path, f"/v1/sessions/{kept}"):
        problem(service.call("GET", where), 404)
        problem(service.call("GET", where, None, "provider", providers=(service.provider(),)), 404)
        assert service.call("GET", where, None, "provider", providers=(provider,)).status_code == 200
    assert service.told(kept) == service.told(gone) == []
    version = service.get(offer, "editor").json()["version"]
    service.move(offer, "publish", version, "editor")
    assert service.told(kept) == [("scheduled", 1)]
    assert service.told(gone) == [], "it was never there for others"
    assert len(dates_shown(service, offer)) == 1


def test_what_happened_while_an_offer_was_hidden_is_told_when_it_is_back(service: Offers) -> None:
    offer = service.draft(publish=True)
    moved, gone, same = (one_of(service, offer, start=SOON + timedelta(days=n)) for n in range(3))
    service.move(offer, "withdraw", 4, "editor")
    do(service, moved, "move", 1, at(SOON + timedelta(days=9), reason="Umbau."))
    do(service, gone, "cancel", 1, {"reason": "Umbau."})
    assert service.told(moved) == service.told(gone) == [("scheduled", 1)]
    service.move(offer, "publish", service.get(offer, "editor").json()["version"], "editor")
    assert service.told(moved) == [("scheduled", 1), ("changed", 2)]
    assert service.told(gone) == [("scheduled", 1), ("cancelled", 2)]
    assert service.told(same) == [("scheduled", 1)]


def test_a_provider_keeps_its_own_dates(service: Offers) -> None:
    mine, other = service.provider("Mein"), service.provider("Anderer")
    offer = service.draft(provider=mine, publish=True)
    path = f"/v1/offers/{offer}/sessions"
    problem(service.call("POST", path, at(), "provider", providers=(other,)), 403)
    made = service.call("POST", path, at(), "provider", providers=(mine,))
    session = made.json()["items"][0]["id"]
    for step, body in (("", {}), ("move", at(reason="x")), ("cancel", {"reason": "x"})):
        problem(do(service, session, step, 1, body, "provider", providers=(other,)), 403)
    cancelled = do(service, session, "cancel", 1, {"reason": "Krank."}, "provider", providers=(mine,))
    assert cancelled.status_code == 200


def test_a_repeated_request_makes_one_series(service: Offers) -> None:
    offer = service.draft(publish=True)
    body = at(repeat={"rule": "FREQ=WEEKLY;COUNT=3"})
    path, key = f"/v1/offers/{offer}/sessions", {"Idempotency-Key": offer}
    first, again = (service.call("POST", path, body, "editor", headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert len(service.call("GET", path).json()["items"]) == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2026-12-01"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"starts_at": "2020-01-01T10:00", "ends_at": "2020-01-01T11:00"}, "starts_at"),
        ({"ends_at": "2020-01-01T10:00"}, "ends_at"),
        ({"starts_at": f"{SOON:%Y-%m-%d}T10:00:30"}, "starts_at"),
        ({"places_max": -1}, "places_max"),
        ({"venue": {"accessibility": ["elevator"]}}, "venue.accessibility"),
        ({"repeat": {"rule": "FREQ=HOURLY;COUNT=3"}}, "repeat.rule"),
        ({"repeat": {"rule": "FREQ=WEEKLY"}}, "repeat.rule"),
        ({"repeat": {"rule": "FREQ=DAILY;COUNT=2", "skip": ["rain"]}}, "repeat.skip.0"),
        ({"repeat": {"rule": "FREQ=DAILY;COUNT=1", "exdates": [f"{SOON:%Y-%m-%d}"]}}, "repeat"),
        ({"starts_at": "2099-01-01T10:00Z", "ends_at": "2099-01-01T11:00Z"}, "starts_at"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_what_does_not_fit_is_named(service: Offers, change: dict[str, Any], field: str) -> None:
    offer = service.draft()
    told = problem(service.call("POST", f"/v1/offers/{offer}/sessions", at() | change, "editor"), 422)
    assert field in {error["field"] for error in told["errors"]}
    assert service.get(offer, "editor").json()["version"] == 1


def test_a_date_outside_the_offers_period_would_not_be_seen(service: Offers) -> None:
    offer = service.draft(COURSE | {"period": {"end": f"{SOON:%Y-%m-%d}"}})
    session = one_of(service, offer)
    late = at(SOON + timedelta(days=1), reason="Später.")
    assert problem(do(service, session, "move", 1, late), 422)["errors"][0]["field"] == "starts_at"


def test_another_place_is_a_move_with_a_reason(service: Offers) -> None:
    session = one_of(service, service.draft(publish=True), venue=VENUE)
    elsewhere = {"venue": VENUE | {"street": "Markt 1"}}
    assert problem(do(service, session, "", 1, elsewhere), 422)["errors"][0]["field"] == "venue"
    problem(do(service, session, "move", 1, elsewhere), 422)
    problem(do(service, session, "move", 1, {"reason": "Ohne Ziel."}), 422)
    moved = do(service, session, "move", 1, elsewhere | {"reason": "Umzug."})
    assert moved.json()["venue"]["street"] == "Markt 1"
    assert service.facts(session)[-1]["data"]["earlier_venue"]["street"] == "Herrngasse 17"


def test_versions_and_conditions(service: Offers) -> None:
    session = one_of(service, service.draft(publish=True), places_max=3)
    seen = service.call("GET", f"/v1/sessions/{session}", headers={"If-None-Match": '"1"'})
    assert (seen.status_code, seen.content) == (304, b"")
    problem(service.call("PUT", f"/v1/sessions/{session}", {}, "editor"), 428)
    problem(do(service, session, "cancel", 7, {"reason": "x"}), 412)
    assert do(service, session, "", 1, {"places_max": 3}).headers["ETag"] == '"1"'
    assert service.told(session) == [("scheduled", 1)]


def test_the_dates_of_an_offer_come_in_pages_and_by_days(service: Offers) -> None:
    offer = service.draft(publish=True)
    made = given_dates(service, offer, at(repeat={"rule": "FREQ=DAILY;COUNT=5"}))
    starts = [item["starts_at"] for item in made["items"]]
    path, found, after = f"/v1/offers/{offer}/sessions", list[str](), ""
    while True:
        page = service.http.get(path, params={"limit": 2, "after": after}).json()
        found += [item["starts_at"] for item in page["items"]]
        if not (after := page["next"]):
            break
    assert found == starts
    days = {"from": starts[1][:10], "to": starts[2][:10]}
    assert [item["starts_at"] for item in service.http.get(path, params=days).json()["items"]] == starts[1:3]
    assert problem(service.http.get(path, params={"after": "x"}), 422)["errors"][0]["field"] == "after"


def test_dates_that_have_passed_leave_the_card(service: Offers) -> None:
    offer = service.draft(publish=True)
    past, coming = one_of(service, offer), one_of(service, offer, start=SOON + timedelta(days=1))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with service.db.transaction() as session:
        begin(session, past, yesterday)
    forget(service)
    assert len(dates_shown(service, offer)) == 1
    version = service.get(offer).json()["version"]
    forget(service)
    assert service.get(offer).json()["version"] == version, "once is enough"
    problem(do(service, past, "cancel", 1, {"reason": "Zu spät."}), 409)
    with service.db.transaction() as session:
        begin(session, coming, yesterday)
    forget(service)
    assert dates_shown(service, offer) == []
    assert service.get(offer).json()["status"] == "published", "until its period ends"


def begin(session: Session, offer_session: str, start: datetime) -> None:
    times = {"starts_at": start, "ends_at": start + timedelta(hours=1)}
    session.execute(update(OfferSession).where(col(OfferSession.id) == offer_session).values(times))


def forget(service: Offers) -> None:
    while True:
        with service.db.transaction() as session:
            if not commands.forget_past(session):
                return


def test_an_import_leaves_the_dates_as_they_are(service: Offers) -> None:
    rows = b"key,title.de,fields.level,dates\n%s,%s,easy,2027-05-01T10:00:00Z\n"
    key = service.provider().encode()
    service.imported(rows % (key, b"Vorher"), source="sessions")
    with service.db.reading() as look:
        offer = look.exec(select(Offer.id).where(Offer.source == "sessions")).one()
    session = one_of(service, offer)
    service.imported(rows % (key, b"Nachher"), source="sessions")
    newest = service.facts(offer, "offer")[-1]["data"]["card"]
    assert newest["title"]["de"] == "Nachher"
    assert [datetime.fromisoformat(shown) for shown in newest["dates"]] == [SOON]
    assert service.told(session) == [("scheduled", 1)]


def test_the_towns_days_off(service: Offers) -> None:
    found = service.http.get("/v1/holidays", params={"year": 2027}).json()
    assert {"day": "2027-01-06", "name": {"de": "Heilige Drei Könige", "en": "Epiphany"}} in found["public"]
    assert found["school"][0]["name"]["de"] == "Weihnachtsferien"
    assert found["school_known_until"] == "2028-09-11"
    assert service.http.get("/v1/holidays").json()["year"] >= 2026
    problem(service.http.get("/v1/holidays", params={"year": 12}), 422)
