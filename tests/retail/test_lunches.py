"""The lunch guide: confirmed menus by day, nearness, diet and price; what is sold out, over or closed is not shown."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from cli.home import ROOT
from libs.town import calendar
from services.retail.lunches.commands import end_some
from services.retail.lunches.domain import instant, is_served, week_of
from services.retail.lunches.models import Lunch
from services.retail.shops.domain import ShopContent
from tests.retail.conftest import CHEESE, Retail
from tests.service import problem
from tests.waiting import until

TODAY = datetime.now(ZoneInfo("Europe/Berlin")).date()
MONDAY = TODAY + timedelta(days=14 - TODAY.weekday())  # of the week after the next
WEEK = week_of(MONDAY)
TOWN = calendar.read(ROOT / "city")
STEW = {"title": {"de": "Linseneintopf"}, "price_cents": 690}
CURRY = {"title": {"de": "Gemüsecurry"}, "price_cents": 820, "diets": ["vegan"]}
OPEN = CHEESE | {"hours": "Mo-Su 08:00-20:00"}
FAR = {"lat": 12.0, "lon": 7.0}  # where no other test's shop is


def shop(service: Retail, **content: Any) -> str:
    return str(service.shop(OPEN | content)["id"])


def put(service: Retail, shop_id: str, menu: dict[str, Any], version: int = 0, week: str = WEEK) -> Any:
    answer = service.call("PUT", f"/v1/shops/{shop_id}/menus/{week}", menu, "caretaker", version=version)
    assert answer.status_code == 200, answer.text
    return answer.json()


def days(*dishes: dict[str, Any], on: date = MONDAY) -> dict[str, Any]:
    return {"days": [{"day": str(on), "dishes": list(dishes)}]}


def found(service: Retail, shop_id: str, **query: Any) -> list[dict[str, Any]]:
    """What the guide has of a shop."""
    params = {"day": str(MONDAY), "limit": 200, **query}
    answer = service.http.get("/v1/lunches", params=params)
    assert answer.status_code == 200, answer.text
    return [each for each in answer.json()["items"] if each["shop"]["id"] == shop_id]


def test_a_menu_becomes_lunches_by_day(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW, CURRY))
    (lunch,) = found(service, mine)
    assert [dish["title"]["de"] for dish in lunch["dishes"]] == ["Linseneintopf", "Gemüsecurry"]
    assert lunch["starts_at"] == instant(MONDAY, "11:30", ZoneInfo("Europe/Berlin")).astimezone(
        UTC
    ).isoformat().replace("+00:00", "Z")
    assert found(service, mine, day=str(MONDAY + timedelta(days=1))) == []
    (fact,) = service.facts(lunch["id"])
    card = fact["data"]["card"]
    assert (card["kind"], card["price_cents"], card["facets"]) == (
        "lunch",
        690,
        {"diet": ["vegan", "vegetarian"]},
    )
    assert card["provider"]["id"] == mine


def test_the_nearest_comes_first_and_the_far_one_not_at_all(service: Retail) -> None:
    near, farther, far = (shop(service, place=FAR | {"lat": 12 + north}) for north in (0.001, 0.02, 0.2))
    for each in (far, farther, near):
        put(service, each, days(STEW))
    params: dict[str, Any] = {"day": str(MONDAY), "near": "12.0,7.0", "radius": 5000}
    items = service.http.get("/v1/lunches", params=params).json()["items"]
    assert [each["shop"]["id"] for each in items] == [near, farther]
    assert [round(each["distance"], -2) for each in items] == [100, 2200]
    page = service.http.get("/v1/lunches", params=params | {"limit": 1}).json()
    assert page["items"][0]["shop"]["id"] == near
    rest = service.http.get("/v1/lunches", params=params | {"limit": 1, "after": page["next"]}).json()
    assert [each["shop"]["id"] for each in rest["items"]] == [farther]
    assert rest["next"] is None


def test_by_diet_and_by_price(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW, CURRY))
    assert found(service, mine, diet="vegetarian", price_max=690), (
        "a vegan dish is vegetarian, a stew costs that"
    )
    assert found(service, mine, diet="halal") == []
    assert found(service, mine, price_max=689) == []


def test_what_nobody_confirmed_is_not_shown(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW) | {"confirmed": False})
    assert found(service, mine) == []
    problem(service.http.get(f"/v1/shops/{mine}/menus/{WEEK}"), 404)
    answer = service.call(
        "POST", f"/v1/shops/{mine}/menus/{WEEK}/confirm", None, "provider", providers=(mine,)
    )
    assert answer.json()["confirmed"] is True
    assert len(found(service, mine)) == 1
    assert service.http.get(f"/v1/shops/{mine}/menus/{WEEK}").status_code == 200


def test_last_week_again(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW))
    later = week_of(MONDAY + timedelta(days=7))
    path = f"/v1/shops/{mine}/menus/{later}"
    again = service.call("POST", f"{path}/repeat", None, "caretaker")
    assert again.status_code == 201
    assert again.json()["days"][0]["day"] == str(MONDAY + timedelta(days=7))
    assert again.json()["confirmed"] is False
    problem(service.call("POST", f"{path}/repeat", None, "caretaker"), 409)
    problem(service.call("POST", f"/v1/shops/{shop(service)}/menus/{later}/repeat", None, "caretaker"), 404)


def test_sold_out_and_there_again(service: Retail) -> None:
    mine = shop(service)
    menu = put(service, mine, days(STEW, CURRY))
    path = f"/v1/shops/{mine}/lunches/{MONDAY}/sold-out"
    service.call("POST", path, {"dish": 1}, "caretaker")
    assert [dish["sold_out"] for dish in found(service, mine)[0]["dishes"]] == [False, True]
    assert found(service, mine, diet="vegan") == []
    put(service, mine, days(STEW | {"price_cents": 700}, CURRY), menu["version"])
    assert [dish["sold_out"] for dish in found(service, mine)[0]["dishes"]] == [False, True], (
        "it stays sold out"
    )
    service.call("POST", path, {}, "caretaker")
    lunch = found(service, mine)[0]["id"]
    assert service.facts(lunch)[-1]["data"]["card"]["listed"] is False
    service.call("POST", path, {"sold_out": False}, "caretaker")
    assert service.facts(lunch)[-1]["data"]["card"]["listed"] is True
    problem(service.call("POST", path, {"dish": 7}, "caretaker"), 422)


def test_a_day_that_falls_out_is_taken_back_and_an_unchanged_one_is_not_told(service: Retail) -> None:
    mine, tuesday = shop(service), MONDAY + timedelta(days=1)
    both = {"days": [{"day": str(day), "dishes": [STEW]} for day in (MONDAY, tuesday)]}
    put(service, mine, both)
    (monday,) = found(service, mine)
    (other,) = found(service, mine, day=str(tuesday))
    put(service, mine, days(STEW), 1)
    assert found(service, mine, day=str(tuesday)) == []
    assert service.told(monday["id"]) == [("published", 1)]
    assert service.told(other["id"]) == [("published", 1), ("withdrawn", 2)]


def test_a_closed_shop_serves_nothing_whatever_its_menu_says(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW))
    version = service.get(mine).json()["version"]
    times = {"hours": OPEN["hours"], "exceptions": [{"day": str(MONDAY), "hours": None}]}
    service.call("PUT", f"/v1/shops/{mine}/hours", times, "caretaker", version=version)
    until(lambda: found(service, mine) == [])
    times["exceptions"] = []
    service.call("PUT", f"/v1/shops/{mine}/hours", times, "caretaker", version=version + 1)
    until(lambda: len(found(service, mine)) == 1)


def test_lunches_leave_with_their_shop_and_come_back(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW))
    version = service.get(mine).json()["version"]
    service.call("POST", f"/v1/shops/{mine}/withdraw", None, "caretaker", version=version)
    until(lambda: found(service, mine) == [])
    service.call("POST", f"/v1/shops/{mine}/release", None, "caretaker", version=version + 1)
    until(lambda: len(found(service, mine)) == 1)


@pytest.mark.parametrize(
    ("day", "hours", "there"),
    [
        (date(2026, 12, 25), "Mo-Fr 09:00-18:00; PH off", False),
        (date(2026, 12, 25), "Mo-Fr 09:00-18:00", False),  # a holiday counts as a Sunday
        (date(2026, 12, 25), "Mo-Su 09:00-18:00", True),
        (date(2026, 12, 23), "Mo-Fr 09:00-18:00; PH off", True),
        (date(2026, 12, 23), "Mo-Fr 17:00-22:00", False),
        (date(2026, 12, 23), "nach Vereinbarung", True),
    ],
)
def test_holidays_and_hours(day: date, hours: str, there: bool) -> None:
    content = ShopContent(title={"de": "Wirt"}, hours=hours)
    assert is_served(content, day, "11:30", "14:00", TOWN) is there


def test_noon_is_noon_on_both_sides_of_the_clocks_change() -> None:
    before, after = (instant(date(2026, 10, day), "12:00", TOWN.zone) for day in (24, 25))
    assert [each.astimezone(UTC).hour for each in (before, after)] == [10, 11]


def test_what_is_over_leaves_the_guide(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW))
    (lunch,) = found(service, mine)
    end = datetime.fromisoformat(lunch["ends_at"])
    with service.db.transaction() as session:
        row = session.exec(select(Lunch).where(Lunch.id == lunch["id"])).one()
        row.ends_at = datetime.now(UTC) - timedelta(seconds=1)
    with service.db.transaction() as session:
        assert end_some(session, datetime.now(UTC)) >= 1
    assert found(service, mine) == []
    assert end > datetime.now(UTC)
    assert service.told(lunch["id"])[-1][0] == "withdrawn"


def test_a_pasted_week_is_shown_and_nothing_kept(service: Retail) -> None:
    mine = shop(service)
    text = f"Mo {MONDAY:%d.%m.}: Linseneintopf (A) 6,90\nDi: ???\nGeheimnis"
    path = f"/v1/shops/{mine}/menus/parse"
    seen = service.call("POST", path, {"text": text, "week": WEEK}, "provider", providers=(mine,)).json()
    assert seen["menu"]["days"][0]["dishes"][0]["price_cents"] == 690
    assert {each["code"] for each in seen["questions"]} >= {"codes-without-legend"}
    assert all(each["message"]["de"] for each in seen["questions"])
    problem(service.http.get(f"/v1/shops/{mine}/menus/{WEEK}"), 404)
    put(service, mine, seen["menu"], week=seen["week"])
    assert len(found(service, mine)) == 1


@pytest.mark.parametrize(
    ("menu", "field"),
    [
        (days(STEW | {"allergens": ["kryptonite"]}), "days.0.dishes.0.allergens"),
        (days(STEW, on=MONDAY + timedelta(days=9)), "days"),
        ({"start": "14:00", "end": "11:00"}, "end"),
        (days(*[STEW] * 21), "days.0.dishes"),
        (days(STEW | {"price_cents": -1}), "price_cents"),
    ],
)
def test_what_does_not_fit_is_named(service: Retail, menu: dict[str, Any], field: str) -> None:
    path = f"/v1/shops/{shop(service)}/menus/{WEEK}"
    told = problem(service.call("PUT", path, menu, "caretaker", version=0), 422)
    assert any(field in f"{each['field']} {each['reason']}" for each in told["errors"]), told


def test_two_who_enter_a_week_at_once_are_told(service: Retail) -> None:
    mine = shop(service)
    put(service, mine, days(STEW))
    problem(service.call("PUT", f"/v1/shops/{mine}/menus/{WEEK}", days(CURRY), "caretaker", version=0), 412)
    problem(service.call("PUT", f"/v1/shops/{mine}/menus/2026-W60", days(CURRY), "caretaker", version=0), 422)
    problem(service.call("PUT", f"/v1/shops/{mine}/menus/2025-W53", {}, "caretaker", version=0), 422)
