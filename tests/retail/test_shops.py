"""Shops: the caretaker enters or releases them, their own people say when they are open and propose the rest."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.retail.conftest import CHEESE, Retail
from tests.service import problem

MONDAY = date.today() + timedelta(days=7 - date.today().weekday())


def by_own(service: Retail, method: str, path: str, body: Any, shop: str, version: int | None = None) -> Any:
    return service.call(method, path, body, "provider", providers=(shop,), version=version)


def test_a_shop_that_the_caretaker_enters_is_in_the_shop_window(service: Retail) -> None:
    shop = service.shop()
    assert shop["status"] == "published"
    assert service.get(shop["id"]).json()["content"] == shop["content"]
    (fact,) = service.facts(shop["id"])
    assert fact["type"] == "de.coburg.retail.shop.published.v1"
    card = fact["data"]["card"]
    assert card["facets"] == {"shop_kind": ["retail"], "assortment": ["dairy-eggs"]}
    assert "Milch, Käse und Eier" in card["keywords"]
    assert card["hours"] == CHEESE["hours"]


def test_a_telephone_number_is_for_who_looks_and_on_no_bus(service: Retail) -> None:
    shop = service.shop()
    assert service.get(shop["id"]).json()["content"]["phone"] == CHEESE["phone"]
    assert CHEESE["phone"] not in str(service.facts(shop["id"]))


def test_a_merchants_shop_waits_for_the_caretaker(service: Retail) -> None:
    asked = service.call("POST", "/v1/shops", CHEESE, "merchant").json()
    assert asked["status"] == "submitted"
    problem(service.get(asked["id"]), 404)
    assert service.get(asked["id"], "merchant").status_code == 200, "whoever asked for it manages it"
    assert service.facts(asked["id"]) == []
    path = f"/v1/shops/{asked['id']}/release"
    problem(service.call("POST", path, None, "merchant", version=1), 403)
    assert service.call("POST", path, None, "caretaker", version=1).json()["status"] == "published"
    assert service.told(asked["id"]) == [("published", 2)]
    problem(service.call("POST", path, None, "caretaker", version=2), 409)


def test_its_people_say_when_it_is_open_and_propose_the_rest(service: Retail) -> None:
    shop = service.shop()["id"]
    problem(by_own(service, "PUT", f"/v1/shops/{shop}", CHEESE, shop, 2), 403)
    times = {"hours": "Mo-Su 10:00-20:00", "exceptions": [{"day": str(MONDAY), "hours": None}]}
    answer = by_own(service, "PUT", f"/v1/shops/{shop}/hours", times, shop, 2)
    assert answer.status_code == 200, answer.text
    assert answer.json()["hours_confirmed_on"] == str(date.today())
    content = answer.json()["content"] | {"title": {"de": "Käse und Wein"}}
    made = by_own(service, "POST", f"/v1/shops/{shop}/proposals", {"content": content}, shop, 3).json()
    assert made["kind"] == "shop"
    assert [change["path"] for change in made["changes"]] == ["/title/de"]
    path = f"/v1/proposals/{made['id']}/release"
    assert service.call("POST", path, None, "caretaker", version=1).json()["status"] == "released"
    assert service.get(shop).json()["content"]["title"]["de"] == "Käse und Wein"
    assert service.told(shop) == [("published", 2), ("changed", 3), ("changed", 4)]


def test_a_single_day_goes_before_the_week(service: Retail) -> None:
    shop = service.shop()["id"]
    tuesday = MONDAY + timedelta(days=1)
    days = [{"day": str(MONDAY), "hours": "10:00-12:00"}, {"day": str(tuesday), "hours": None}]
    times = {"hours": CHEESE["hours"], "exceptions": days}
    by_own(service, "PUT", f"/v1/shops/{shop}/hours", times, shop, 2)
    week = service.http.get(f"/v1/shops/{shop}/hours", params={"from": str(MONDAY), "days": 3}).json()
    assert [day["differs"] for day in week["days"]] == [True, True, False]
    assert [[span["start"] for span in day["open"]] for day in week["days"]] == [["10:00"], [], ["09:00"]]
    card = service.facts(shop)[-1]["data"]["card"]
    assert card["hours"].startswith(f"{CHEESE['hours']}; {MONDAY.year} ")


def test_hours_that_nobody_can_evaluate_are_a_text(service: Retail) -> None:
    shop = service.shop(CHEESE | {"hours": "nach Vereinbarung, einfach klingeln"})["id"]
    assert service.http.get(f"/v1/shops/{shop}/hours").json() == {"readable": False, "days": []}
    fact = service.facts(shop)[0]["data"]
    assert "hours" not in fact["card"]
    assert fact["hours"] == "nach Vereinbarung, einfach klingeln"


def test_confirming_twice_on_a_day_is_told_once(service: Retail) -> None:
    shop = service.shop()["id"]
    for _ in range(2):
        by_own(service, "POST", f"/v1/shops/{shop}/hours/confirm", None, shop)
    assert service.told(shop) == [("published", 2), ("changed", 3)]
    assert service.facts(shop)[-1]["data"]["card"]["checked_on"] == str(date.today())


def test_a_shop_that_leaves_is_gone_for_all_but_its_own(service: Retail) -> None:
    shop = service.shop()["id"]
    answer = service.call("POST", f"/v1/shops/{shop}/withdraw", None, "caretaker", version=2)
    assert answer.json()["status"] == "withdrawn"
    problem(service.get(shop), 404)
    assert by_own(service, "GET", f"/v1/shops/{shop}", None, shop).status_code == 200
    assert service.facts(shop)[-1]["data"]["card"]["listed"] is False


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"assortment": ["unicorns"]}, "assortment"),
        ({"payment": ["shells"]}, "payment"),
        ({"phone": "ruf mich an"}, "phone"),
        ({"kind": "circus"}, "kind"),
        ({"title": {"de": " "}}, "title"),
        ({"exceptions": [{"day": "2026-12-24", "hours": "früh"}]}, "exceptions"),
        ({"exceptions": [{"day": "2026-12-24"}, {"day": "2026-12-24"}]}, "exceptions"),
        ({"place": {"lat": 50.2}}, "place.lon"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
)
def test_what_does_not_fit_is_named(service: Retail, wrong: dict[str, Any], field: str) -> None:
    told = problem(service.call("POST", "/v1/shops", CHEESE | wrong, "caretaker"), 422)
    assert any(field in each["field"] for each in told["errors"]), told


def test_two_who_change_at_once_are_told(service: Retail) -> None:
    shop = service.shop()["id"]
    path, body = f"/v1/shops/{shop}", CHEESE | {"summary": {"de": "Neu"}}
    assert service.call("PUT", path, body, "caretaker", version=2).status_code == 200
    problem(service.call("PUT", path, body, "caretaker", version=2), 412)
