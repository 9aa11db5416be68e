"""What citizens read of an offer is what is enforced: until when, for whom, and how many places are left of what."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from libs.contracts.card import Age
from libs.servicekit.db import now
from services.offers.boards.domain import Declaration
from services.offers.bookings.domain import BookingRules, answer_until, bookable_until
from services.offers.bookings.forms import Facts, FormField, FormKind, Meaning, check_meaning
from tests.offers.booking import Requester, dated
from tests.offers.conftest import Offers
from tests.service import problem

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = datetime.now(BERLIN).date()
FORM = [
    FormField(name="born", type=FormKind.DATE, means=Meaning.BIRTHDAY, label={"de": "Geburtstag"}),
    FormField(name="age", type=FormKind.INTEGER, means=Meaning.AGE, label={"de": "Alter"}),
    FormField(name="from", type=FormKind.DATE, means=Meaning.DAY, label={"de": "Ab"}),
]
SMALL = Age(from_months=12, to_months=72)


def trip(service: Offers, until: date | None = None, **content: Any) -> str:
    """A public offer of the board of trips, perhaps with a last day to register."""
    fields = {"register_until": until.isoformat()} if until else {}
    said = {"title": {"de": "Ausflug"}, "fields": fields} | content
    return service.draft(said, board="trip", publish=True)


def card(service: Offers, offer: str) -> dict[str, Any]:
    """The newest card of an offer."""
    found: dict[str, Any] = service.facts(offer, "offer")[-1]["data"]["card"]
    return found


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({"born": "2024-05-01"}, []),
        ({"born": "2031-01-01"}, ["born"]),
        ({"born": "1890-01-01"}, ["born"]),
        ({"born": "2010-01-01"}, ["born"]),
        ({"born": "2026-10-01"}, ["born"]),
        # Whoever is born later, or too young today, is old enough on the day from which it is wanted.
        ({"born": "2026-12-24", "from": "2028-01-01"}, []),
        ({"born": "2026-10-01", "from": "2027-10-01"}, []),
        ({"born": "2026-10-01", "from": "2027-09-30"}, ["born"]),
        ({"born": "2020-11-26"}, []),
        ({"born": "2020-10-26"}, ["born"]),
        ({"age": 1}, []),
        ({"age": 6}, []),
        ({"age": 7}, ["age"]),
        ({"age": 0}, ["age"]),
        ({"from": "2026-11-26"}, []),
        ({"from": "2026-11-25"}, ["from"]),
        ({"from": "2028-01-02"}, ["from"]),
    ],
)
def test_answers_go_with_the_offer_and_with_today(answers: dict[str, Any], wrong: list[str]) -> None:
    facts = Facts(SMALL, date(2028, 1, 1), date(2026, 11, 26), date(2026, 11, 26))
    assert [name for name, _ in check_meaning(FORM, answers, facts)] == wrong


def test_an_offer_for_everybody_still_knows_what_no_human_is() -> None:
    facts = Facts(None, None, date(2026, 11, 26), date(2026, 11, 26))
    assert not list(check_meaning(FORM, {"born": "1950-01-01", "age": 76, "from": "2030-01-01"}, facts))
    wrong = {"born": "1890-01-01", "age": 121, "from": "9999-12-31"}
    assert {name for name, _ in check_meaning(FORM, wrong, facts)} == {"born", "age", "from"}


@pytest.mark.parametrize("field", [{"closes": "nothing"}, {"closes": "text"}, {"slots": {"hours": "text"}}])
def test_a_board_names_fields_that_it_has(field: dict[str, Any]) -> None:
    said = {
        "slug": "x",
        "title": {"de": "X"},
        "fields": [{"name": "text", "type": "text", "label": {"de": "T"}}],
    }
    with pytest.raises(ValueError, match="bookings name fields"):
        Declaration.model_validate(said | {"booking": field}, strict=False)


def test_days_before_a_date_are_days_of_the_calendar() -> None:
    starts = datetime(2027, 3, 28, 10, tzinfo=BERLIN)  # the clocks are put forward that night
    rules = BookingRules(deadline_days=1, answer_days=1)
    assert bookable_until(rules, {}, starts, BERLIN) == datetime(2027, 3, 27, 10, tzinfo=BERLIN)
    assert answer_until(rules, datetime(2027, 3, 27, 10, tzinfo=BERLIN), None, BERLIN) == starts
    told = {"until": "2027-03-20"}
    closing = BookingRules(deadline_days=1, closes="until")
    assert bookable_until(closing, told, starts, BERLIN) == datetime(2027, 3, 21, tzinfo=BERLIN)
    assert bookable_until(closing, told | {"until": "2027-06-01"}, starts, BERLIN) == datetime(
        2027, 3, 27, 10, tzinfo=BERLIN
    )


@pytest.mark.parametrize("days", [0, -1])
def test_the_last_day_to_register_is_the_last(service: Offers, days: int) -> None:
    offer = trip(service, TODAY + timedelta(days=days))
    (day,) = dated(service, offer, 5)
    answer = Requester(service).ask(offer, day, bare=True)
    assert answer.status_code == (201 if days == 0 else 422), answer.text
    whole = trip(service, TODAY + timedelta(days=days))
    answer = Requester(service).ask(whole, bare=True)
    assert answer.status_code == (201 if days == 0 else 422), answer.text


def test_an_answer_is_compared_over_http_and_what_was_right_stays(service: Offers) -> None:
    offer = trip(service, age={"from_months": 12, "to_months": 72})
    person = Requester(service)
    for born in ("2031-01-01", "1890-01-01", "2010-01-01", "20240201", "2024-W05-7"):
        wrong = problem(person.ask(offer, form={"born": born}), 422)
        assert [each["field"] for each in wrong["errors"]] == ["form.born"], born
    born = (TODAY - timedelta(days=800)).isoformat()
    assert person.ask(offer, form={"born": born}).status_code == 201
    assert person.see()["form"] == {"born": born}


def test_dates_and_cards_tell_what_can_still_be_booked(service: Offers) -> None:
    offer = trip(service)
    start = (now() + timedelta(days=1)).replace(second=0, microsecond=0)
    dated(service, offer, 4, 5, 6, start=start)  # tomorrow's is closed, two days before
    person = Requester(service)
    items = service.call("GET", f"/v1/offers/{offer}/sessions").json()["items"]
    assert [each["places_free"] for each in items] == [4, 5, 6]
    assert person.ask(offer, items[2]["id"], bare=True, places=2).status_code == 201
    items = service.call("GET", f"/v1/offers/{offer}/sessions").json()["items"]
    assert [each["places_free"] for each in items] == [4, 5, 4]
    until = [datetime.fromisoformat(each["bookable_until"]) for each in items]
    assert until[0] < now() < until[2]
    found = card(service, offer)
    assert [span["free_places"] for span in found["spans"]] == [4, 5, 4]
    assert [span["id"] for span in found["spans"]] == [each["id"] for each in items]
    assert found["bookable"] is True
    assert datetime.fromisoformat(found["bookable_until"]) == until[2]
    # Of the first two nobody can have a place any more.
    assert found["free_places"] == 4
    assert service.call("GET", f"/v1/offers/{offer}/booking").json()["bookable_until"] is not None
    export = service.call("GET", "/v1/exports/offers.jsonl?board=trip").text
    assert '"free_now":4' in next(line for line in export.splitlines() if offer in line)


def test_terms_are_told(service: Offers) -> None:
    offer = trip(service)
    assert card(service, offer)["bookable"] is True
    path = f"/v1/offers/{offer}/booking"
    assert service.call("PUT", path, {"bookable": False}, "editor", version=0).status_code == 200
    assert card(service, offer)["bookable"] is False


def test_dates_of_the_content_last_as_long_as_the_board_says(service: Offers) -> None:
    start = datetime(2027, 6, 1, 8, tzinfo=UTC)
    said = {
        "title": {"de": "Theater"},
        "dates": [start.isoformat()],
        "fields": {"art": ["music"], "grade": ["1-2"], "format": "day", "duration": 90},
    }
    offer = service.draft(said, board="ks-cob", publish=True)
    (span,) = card(service, offer)["spans"]
    assert datetime.fromisoformat(span["end"]) == start + timedelta(minutes=90)
