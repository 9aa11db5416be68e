"""A period through HTTP: announced, wished for, closed, given out, explained, erased; and what others hear of it."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, func, select

from libs.contracts.offers import NeedKind
from services.offers.allocation import drawing, queries
from services.offers.allocation.commands import move
from services.offers.allocation.domain import PeriodStatus
from services.offers.allocation.models import WishingChild, Wishlist
from services.offers.bookings.models import Booking
from services.offers.needs.models import Need, NeedMark
from tests.offers.conftest import COURSE, Offers
from tests.offers.holidays import WEEKS, Holidays
from tests.service import problem
from tests.waiting import until


def test_a_period_from_its_announcement_to_its_places(service: Offers) -> None:
    holidays = Holidays(service)
    assert (holidays.period["status"], holidays.period["seed"], holidays.period["places_per_child"]) == (
        "open",
        None,
        2,
    )
    dear = holidays.child("A", "w1 lake", "w1 wood", "w2 lake", claims=("sole_carer",))
    families = [
        holidays.family(dear),
        *(holidays.family(holidays.child("B", "w1 lake", "w1 wood")) for _ in range(3)),
    ]
    child = families[0]["children"][0]
    assert holidays.confirm(child, child["claims"]).json()["confirmed"] == child["claims"]
    problem(holidays.allocate(), 409)
    problem(holidays.allocate(dry_run=True), 409)
    holidays.close()
    rehearsed = holidays.allocate(dry_run=True)
    assert (rehearsed.status_code, rehearsed.json()["dry_run"]) == (200, True)
    assert holidays.open(families[0]).json()["children"][0]["answers"] == []
    result = holidays.given_out()
    assert result["figures"] == {"children": 4, "placed": 3, "left_out": 1} == rehearsed.json()["figures"]
    assert result["activities"] == rehearsed.json()["activities"]
    lake = next(each for each in result["activities"] if holidays.names[each["id"]] == "w1 lake")
    assert (lake["places"], lake["wished"], lake["first"], lake["placed"]) == (1, 4, 4, 1)
    assert holidays.got(families[0]) == {("A", "w1"): "w1 lake", ("A", "w2"): "w2 lake"}
    rest = [holidays.answers(family)["B", "w1"] for family in families[1:]]
    assert sorted(holidays.names.get(each["activity"], "") for each in rest) == ["", "w1 wood", "w1 wood"]
    assert all(each["wishes"][0]["verdict"] == "priority" for each in rest)
    lost = next(each for each in rest if each["activity"] is None)
    assert lost["wishes"][1]["verdict"] == "lot"
    assert f"gezogen wurde hier {lost['lot']}, der letzte Platz ging an" in lost["wishes"][1]["text"]["de"]
    left = service.call("GET", f"{holidays.path}/children?outcome=left-out", None, "editor").json()["items"]
    assert [each["wishlist_id"] for each in left] == [
        family["id"] for family, each in zip(families[1:], rest, strict=True) if each is lost
    ]


def test_others_hear_figures_and_families_hear_theirs(service: Offers) -> None:
    holidays = Holidays(service)
    lucky = holidays.family(holidays.child("A", "w1 lake", claims=("sole_carer",)))
    unlucky = holidays.family(holidays.child("B", "w1 lake"))
    holidays.confirm(lucky["children"][0], lucky["children"][0]["claims"])
    holidays.given_out()
    told = service.facts(holidays.period["id"], "period")
    assert [fact["type"].split(".")[-2] for fact in told] == ["opened", "closed", "allocated"]
    versions = [int(fact["sequence"]) for fact in told]
    assert versions == sorted(set(versions))
    opened, closed, allocated = (fact["data"] for fact in told)
    assert [each["card"]["listed"] for each in (opened, closed, allocated)] == [True, False, False]
    assert (closed["children"], allocated["placed"], allocated["left_out"]) == (2, 1, 1)
    assert "seed" not in opened
    assert "seed" not in closed
    assert (
        sha256(allocated["seed"].encode()).hexdigest()
        == opened["commitment"]
        == holidays.period["commitment"]
    )
    for family, template, placed in ((lucky, "placed", 1), (unlucky, "left-out", 0)):
        received, decided = holidays.messages(family["recipient_id"])
        assert (received["template"], decided["template"]) == (
            "allocation-received",
            f"allocation-{template}",
        )
        assert (decided["facts"]["placed"], decided["facts"]["left_out"]) == (placed, 1 - placed)
        assert decided["facts"]["link"] == received["facts"]["link"] == family["token"]


def test_places_become_bookings(service: Offers) -> None:
    holidays = Holidays(service)
    families = [holidays.family(holidays.child("A", "w1 lake", "w1 wood")) for _ in range(4)]
    holidays.given_out()
    booked = [next(iter(holidays.answers(family).values())) for family in families]
    assert sorted(each["booking"] is not None for each in booked) == [False, True, True, True]
    with service.db.reading() as session:
        for family, answer in zip(families, booked, strict=True):
            found = session.exec(select(Booking).where(Booking.recipient_id == family["recipient_id"])).all()
            assert [each.id for each in found] == ([answer["booking"]] if answer["activity"] else [])
            assert all((each.status, each.held) == ("approved", True) for each in found)


def test_a_place_that_cannot_be_booked_stays_given(service: Offers) -> None:
    holidays = Holidays(service)
    family = holidays.family(holidays.child("A", "w1 lake", "w2 wood"))
    lake = next(each["offer_id"] for each in holidays.period["activities"] if each["title"] == {"de": "lake"})
    assert service.move(lake, "withdraw", 1, "editor").status_code == 200
    holidays.given_out()
    answers = holidays.answers(family)
    assert answers["A", "w1"]["activity"] is not None
    assert [answers["A", slot]["booking"] is None for slot in ("w1", "w2")] == [True, False]


def test_whoever_goes_without_is_an_unmet_need_of_the_dearest_offer(service: Offers) -> None:
    holidays = Holidays(service)
    for _ in range(4):
        holidays.family(holidays.child("A", "w1 lake", "w1 wood"))
    holidays.given_out()
    lake = next(each["offer_id"] for each in holidays.period["activities"] if each["title"] == {"de": "lake"})
    with service.db.reading() as session:
        (need,) = session.exec(select(Need).where(Need.offer_id == lake)).all()
        assert need.kind == NeedKind.REFUSED
        assert session.exec(select(func.count()).where(col(NeedMark.need_id) == need.id)).one() == 1


def test_everyone_can_draw_the_lots_again(service: Offers) -> None:
    holidays = Holidays(service)
    families = [holidays.family(holidays.child("A", "w1 lake")) for _ in range(5)]
    friends = [holidays.family(holidays.child("B", "w1 lake"), group="Sonnenkinder") for _ in range(2)]
    holidays.given_out()
    seed = holidays.reaches("allocated")["seed"]

    def digest(*words: str) -> bytes:
        return sha256(":".join((seed, "w1", *words)).encode()).digest()

    drawn = []
    for family in families + friends:
        group = "group Sonnenkinder" if family in friends else family["id"]
        child = family["children"][0]["id"]
        drawn.append((digest(group), digest(child), family))
    for number, (_, _, family) in enumerate(sorted(drawn, key=lambda each: each[:2]), 1):
        (answer,) = holidays.answers(family).values()
        assert (answer["lot"], answer["lots"]) == (number, 7)
        assert (answer["activity"] is not None) == (number == 1)


def test_what_nobody_confirmed_does_not_count(service: Offers) -> None:
    holidays = Holidays(service)
    claims = ("sole_carer", "sibling_there@w1 lake")
    families = [holidays.family(holidays.child("A", "w1 lake", claims=claims)) for _ in range(3)]
    shown = families[2]["children"][0]
    sibling = [claim for claim in shown["claims"] if claim["criterion"] == "sibling_there"]
    assert holidays.confirm(shown, sibling).status_code == 200
    problem(holidays.confirm(shown, sibling), 412)
    wrong = [{"criterion": "sibling_there", "activity": holidays.ids["w1 wood"]}]
    told = problem(holidays.confirm(shown | {"version": 2}, wrong), 422)
    assert told["errors"] == [{"field": "claims.0", "reason": "was not claimed"}]
    holidays.given_out()
    assert [holidays.got(family)["A", "w1"] for family in families] == [None, None, "w1 lake"]
    problem(holidays.confirm(shown | {"version": 2}, []), 409)


def test_places_are_given_out_once(service: Offers) -> None:
    holidays = Holidays(service)
    families = [holidays.family(holidays.child("A", "w1 lake", "w2 wood")) for _ in range(4)]
    first = holidays.given_out()
    answers = [holidays.answers(family) for family in families]
    again = holidays.allocate()
    assert (again.status_code, again.json()["figures"]) == (202, first["figures"])
    assert holidays.allocate(dry_run=True).json()["activities"] == first["activities"]
    assert [holidays.answers(family) for family in families] == answers
    assert len(service.told(holidays.period["id"])) == 3
    assert len(holidays.messages(families[0]["recipient_id"])) == 2


def test_a_family_changes_its_wishes_until_they_are_closed(service: Offers) -> None:
    holidays = Holidays(service)
    before = holidays.child("A", "w1 lake", claims=("sole_carer",))
    family = holidays.family(before, holidays.child("B", "w1 lake"))
    child = family["children"][0]
    holidays.confirm(child, child["claims"])
    body = {
        "recipient_id": family["recipient_id"],
        "children": [before | {"wishes": {"w2": [holidays.ids["w2 wood"]]}}],
    }
    problem(holidays.open(family, "PUT", body, version=7), 412)
    changed = holidays.open(family, "PUT", body, version=1)
    assert changed.headers["ETag"] == '"2"'
    (kept,) = changed.json()["children"]
    assert (kept["id"], kept["confirmed"]) == (child["id"], child["claims"])
    assert list(kept["wishes"]) == ["w2"]
    holidays.close()
    problem(holidays.open(family, "PUT", body, version=2), 409)
    problem(holidays.wish(holidays.child("C", "w1 lake")), 409)


def test_only_its_link_opens_a_wish_list(service: Offers) -> None:
    holidays = Holidays(service)
    mine, other = (holidays.family(holidays.child("A", "w1 lake")) for _ in range(2))
    path = f"/v1/wishlists/{mine['id']}"
    problem(service.call("GET", path, None, "editor"), 401)
    for token, status in ((other["token"], 404), ("x", 401), (mine["token"][:-2], 401)):
        problem(holidays.open(mine | {"token": token}), status)
    problem(holidays.open(other | {"token": mine["token"]}, "DELETE", version=1), 404)
    assert holidays.open(mine).json()["children"] == mine["children"]


def rows(service: Offers, period: str) -> tuple[int, int]:
    """How many wish lists and children of a period are kept."""
    with service.db.reading() as session:
        wishlists = select(func.count()).where(col(Wishlist.period_id) == period)
        children = select(func.count()).where(col(WishingChild.period_id) == period)
        return session.exec(wishlists).one(), session.exec(children).one()


def test_what_is_taken_back_is_gone(service: Offers) -> None:
    holidays = Holidays(service)
    family = holidays.family(holidays.child("A", "w1 lake"), holidays.child("B", "w1 lake"))
    holidays.family(holidays.child("C", "w1 lake"))
    assert rows(service, holidays.period["id"]) == (2, 3)
    assert holidays.open(family, "DELETE", version=1).status_code == 204
    assert rows(service, holidays.period["id"]) == (1, 1)
    problem(holidays.open(family), 404)
    assert holidays.given_out()["figures"] == {"children": 1, "placed": 1, "left_out": 0}


def test_what_families_wrote_is_erased_when_its_time_is_over(service: Offers) -> None:
    holidays = Holidays(service)
    family = holidays.family(holidays.child("A", "w1 lake"))
    figures = holidays.given_out()["figures"]
    assert service.call("GET", holidays.path).json()["figures"] == figures
    holidays.shift(erase_on=date(2020, 1, 1))
    until(lambda: rows(service, holidays.period["id"]) == (0, 0), 30)
    problem(holidays.open(family), 404)
    assert service.call("GET", f"{holidays.path}/result", None, "editor").json()["figures"] == figures


def test_a_period_opens_when_its_time_has_come(service: Offers) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    holidays = Holidays(service, wishes_from=soon)
    assert holidays.period["status"] == "announced"
    problem(holidays.wish(holidays.child("A", "w1 lake")), 409)
    assert service.told(holidays.period["id"]) == []
    holidays.shift(wishes_from=datetime.now(UTC))
    holidays.reaches("open")
    assert service.told(holidays.period["id"]) == [("opened", 2)]


def test_siblings_and_friends_draw_one_lot(service: Offers) -> None:
    holidays = Holidays(service)
    twins = holidays.family(*(holidays.child(label, "w1 wood") for label in "AB"))
    others = [holidays.family(holidays.child("C", "w1 wood")) for _ in range(3)]
    problem(holidays.wish(*(holidays.child(label, "w1 wood") for label in "ABCD"), group="Sonnenkinder"), 422)
    holidays.family(*(holidays.child(label, "w2 wood") for label in "ABC"), group="Sonnenkinder")
    told = problem(holidays.wish(holidays.child("D", "w2 wood"), group="Sonnenkinder"), 422)
    assert told["errors"] == [{"field": "group", "reason": "at most 3 children draw together"}]
    holidays.given_out()
    first, second = holidays.answers(twins).values()
    assert abs(first["lot"] - second["lot"]) == 1
    together = first["activity"] is not None and second["activity"] is not None
    assert first["together"] == (1 if together else 0)
    assert all(answer["together"] == 0 for family in others for answer in holidays.answers(family).values())


def test_the_same_key_takes_the_same_wishes_once(service: Offers) -> None:
    holidays = Holidays(service)
    child, key = holidays.child("A", "w1 lake"), {"Idempotency-Key": str(uuid4())}
    first, again = (holidays.wish(child, headers=key, recipient_id="r-same") for _ in range(2))
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert rows(service, holidays.period["id"]) == (1, 1)


def test_providers_see_the_figures_of_their_own_activities(service: Offers) -> None:
    provider = service.provider()
    holidays = Holidays(service, provider)
    path = f"{holidays.path}/result"
    own = service.call("GET", path, None, "provider", providers=(provider,)).json()
    assert {each["id"] for each in own["activities"]} == set(holidays.ids.values())
    other = service.call("GET", path, None, "provider", providers=(service.provider(),)).json()
    assert other["activities"] == []
    assert holidays.period["id"] in {
        each["id"] for each in service.call("GET", "/v1/boards/course/periods?limit=200").json()["items"]
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"places_per_child": 3}, "places_per_child"),
        ({"wishes_until": "2020-01-01T00:00:00Z", "wishes_from": "2019-01-01T00:00:00Z"}, "wishes_until"),
        ({"wishes_until": "2099-08-03T06:00:00Z"}, "slots"),
        ({"wishes_from": "0001-01-01T00:00:00+14:00"}, "wishes_from"),
        ({"slots": [WEEKS[0] | {"end": "9999-12-31"}]}, "slots.0.end"),
        ({"activities": [{"slot": "w1", "offer_id": "draft", "places": 1}]}, "activities.0.offer_id"),
        ({"activities": [{"slot": "w1", "offer_id": "over", "places": 1}]}, "activities.0.offer_id"),
        (
            {"activities": [{"slot": "w1", "offer_id": "public", "session_id": "draft", "places": 1}]},
            "activities.0.session_id",
        ),
    ],
)
def test_a_period_that_cannot_be(service: Offers, change: dict[str, Any], field: str) -> None:
    holidays = Holidays(service)
    ids = {
        "draft": service.draft(),
        "public": holidays.period["activities"][0]["offer_id"],
        "over": service.draft(COURSE | {"period": {"end": "2099-08-01"}}, publish=True),
    }
    body = json.loads(json.dumps(holidays.body | change))
    for activity in body["activities"]:
        activity.update(
            {
                key: ids.get(activity[key], activity[key])
                for key in ("offer_id", "session_id")
                if key in activity
            }
        )
    told = problem(service.call("POST", "/v1/boards/course/periods", body, "editor"), 422)
    assert field in {error["field"] for error in told["errors"]}


def test_a_board_without_rules_gives_nothing_out(service: Offers) -> None:
    body = Holidays(service).body
    problem(service.call("POST", "/v1/boards/kita/periods", body, "editor"), 409)
    problem(service.call("POST", "/v1/boards/nowhere/periods", body, "editor"), 404)


def test_what_was_drawn_is_not_kept_when_the_period_has_moved_on(service: Offers) -> None:
    holidays = Holidays(service)
    holidays.family(holidays.child("A", "w1 lake"))
    holidays.close()
    with suppress(NotKeptError), service.db.transaction() as session:
        period = queries.locked(session, holidays.period["id"])
        move(period, PeriodStatus.ALLOCATING)
        session.flush()
        result = drawing.prepare(session, period.id, lambda *_: "link")
        assert result and result.drawn.figures["placed"] == 1
        move(period, PeriodStatus.ALLOCATING)
        session.flush()
        drawing.carry_out(session, period.id, result, date.today())
        assert [child.placed for child in queries.children(session, period.id)] == [None]
        result.drawn.version = period.version
        drawing.carry_out(session, period.id, result, date.today())
        session.expire_all()
        assert [child.placed for child in queries.children(session, period.id)] == [1]
        raise NotKeptError


class NotKeptError(Exception):
    """Raised so that nothing of a transaction is."""
