"""The caretaker's desk: facts make tasks once and settle them, the day is ordered, visits and maturity are kept."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from sqlmodel import select

from cli.home import ROOT
from libs.contracts.agenda import SiteAnnounced, SiteEnded
from services.retail.desk.commands import look_after, questionnaire
from services.retail.shops.models import Shop
from tests.retail.conftest import CHEESE, Retail
from tests.retail.test_sites import Agenda
from tests.retail.test_stories import Story
from tests.service import problem
from tests.waiting import until

ZONE = ZoneInfo("Europe/Berlin")
TODAY = datetime.now(ZONE).date()


def look(service: Retail, today: date = TODAY) -> None:
    """What the job does every minute."""
    after: str | None = ""
    while after is not None:
        with service.db.transaction() as session:
            after = look_after(session, after, today, ZONE)


def case(service: Retail, shop: str) -> dict[str, Any]:
    found: dict[str, Any] = service.call("GET", f"/v1/desk/shops/{shop}", None, "caretaker").json()
    return found


def kinds(service: Retail, shop: str) -> dict[str, str]:
    return {task["kind"]: task["status"] for task in case(service, shop)["tasks"]}


def test_a_shop_that_waits_is_a_task_until_it_is_released(service: Retail) -> None:
    shop = service.call("POST", "/v1/shops", CHEESE, "merchant").json()["id"]
    look(service)
    look(service)
    assert kinds(service, shop) == {"release-shop": "open"}
    service.call("POST", f"/v1/shops/{shop}/release", None, "caretaker", version=1)
    look(service)
    assert kinds(service, shop) == {"release-shop": "settled"}


def test_a_story_and_a_proposal_that_wait_are_tasks(service: Retail) -> None:
    story = Story(service)
    story.step("submit", by="own")
    version = service.get(story.shop).json()["version"]
    change = {"content": CHEESE | {"summary": {"de": "Neu"}}}
    path = f"/v1/shops/{story.shop}/proposals"
    assert story.own("POST", path, change, version=version).status_code == 201
    look(service)
    assert kinds(service, story.shop) == {"review-story": "open", "decide-proposal": "open"}


def test_silence_and_old_hours_become_tasks_in_time(service: Retail) -> None:
    shop = service.shop()["id"]
    look(service, TODAY + timedelta(days=59))
    assert kinds(service, shop) == {}
    look(service, TODAY + timedelta(days=60))
    assert kinds(service, shop) == {"tell-a-story": "open"}
    look(service, TODAY + timedelta(days=365))
    assert kinds(service, shop) == {"tell-a-story": "open", "confirm-hours": "open"}
    service.call("POST", f"/v1/shops/{shop}/hours/confirm", None, "caretaker")
    look(service, TODAY + timedelta(days=1))
    assert kinds(service, shop) == {"tell-a-story": "settled", "confirm-hours": "settled"}


def test_a_site_nearby_is_a_task_that_names_its_fact(service: Retail) -> None:
    agenda = Agenda(service)
    shop = agenda.shop(10)
    event = agenda.tell(SiteAnnounced, 1)
    until(lambda: agenda.notices(shop))
    look(service)
    (task,) = case(service, shop)["tasks"]
    assert (task["kind"], task["cause"]["event_id"]) == ("site-nearby", event)
    agenda.tell(SiteEnded, 2)
    until(lambda: not agenda.notices(shop))
    look(service)
    assert kinds(service, shop) == {"site-nearby": "settled"}


def test_what_is_done_does_not_come_again(service: Retail) -> None:
    story = Story(service)
    story.step("submit", by="own")
    look(service)
    (task,) = case(service, story.shop)["tasks"]
    path = f"/v1/desk/tasks/{task['id']}/done"
    assert service.call("POST", path, None, "caretaker", version=1).json()["status"] == "done"
    problem(service.call("POST", path, None, "caretaker", version=2), 409)
    look(service)
    assert kinds(service, story.shop) == {"review-story": "done"}


def step(service: Retail, shop: str, due: date) -> dict[str, Any]:
    body = {"shop_id": shop, "text": "Fotos machen", "due_on": str(due)}
    answer = service.call("POST", "/v1/desk/tasks", body, "caretaker")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(service: Retail, shops: set[str]) -> list[str]:
    tasks = service.call("GET", "/v1/desk/today?limit=200", None, "caretaker").json()["tasks"]
    return [task["id"] for task in tasks if task["shop_id"] in shops]


def test_the_late_goes_first_then_the_urgent(service: Retail) -> None:
    shop = service.shop()["id"]
    later, late, soon = (step(service, shop, TODAY + timedelta(days=days))["id"] for days in (9, -1, 2))
    assert listed(service, {shop}) == [late, soon, later]


def test_a_sleeping_task_is_not_in_the_day_and_one_handed_over_is_somebody_elses(service: Retail) -> None:
    shop = service.shop()["id"]
    task = step(service, shop, TODAY)
    path = f"/v1/desk/tasks/{task['id']}"
    problem(service.call("POST", f"{path}/snooze", {"until": str(TODAY)}, "caretaker", version=1), 422)
    until_then = {"until": str(TODAY + timedelta(days=1))}
    assert service.call("POST", f"{path}/snooze", until_then, "caretaker", version=1).status_code == 200
    assert listed(service, {shop}) == []
    other = step(service, shop, TODAY)
    handed = service.call(
        "POST", f"/v1/desk/tasks/{other['id']}/hand-over", {"to": "berta"}, "caretaker", version=1
    )
    assert handed.json()["assigned_to"] == "berta"
    mine = service.call("GET", "/v1/desk/today?mine=true&limit=200", None, "caretaker").json()["tasks"]
    assert other["id"] not in [each["id"] for each in mine]
    assert other["id"] in listed(service, {shop})


def test_visits_stand_in_the_day_and_in_the_calendar_without_their_notes(service: Retail) -> None:
    shop = service.shop()["id"]
    noon = datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=ZONE).astimezone(UTC)
    body = {"shop_id": shop, "starts_at": noon.isoformat(), "note": "Schüchtern, viel Zeit lassen"}
    visit = service.call("POST", "/v1/desk/visits", body, "caretaker").json()
    today = service.call("GET", "/v1/desk/today", None, "caretaker").json()
    assert visit["id"] in [each["id"] for each in today["visits"]]
    file = service.call("GET", "/v1/desk/visits.ics", None, "caretaker")
    assert "Schüchtern" not in file.text
    events = [
        each
        for each in icalendar.Calendar.from_ical(file.content).walk("VEVENT")
        if visit["id"] in str(each["UID"])
    ]
    assert [each.decoded("dtend") - each.decoded("dtstart") for each in events] == [timedelta(minutes=45)]
    assert service.call("DELETE", f"/v1/desk/visits/{visit['id']}", None, "caretaker").status_code == 204
    assert visit["id"] not in service.call("GET", "/v1/desk/visits.ics", None, "caretaker").text


def test_how_far_a_shop_has_come_is_kept_over_time(service: Retail) -> None:
    shop = service.shop()["id"]
    asked = questionnaire(ROOT / "city")
    path = f"/v1/desk/shops/{shop}/assessments"
    for last in (False, True):
        answers = {name: len(each.answers) - 1 if last else 0 for name, each in asked.questions.items()}
        assert service.call("POST", path, {"answers": answers}, "caretaker").status_code == 201
    seen = case(service, shop)["assessments"]
    assert [(each["score"], each["level"]) for each in seen] == [(0, "begin"), (100, "connected")]
    told = problem(service.call("POST", path, {"answers": {"found": 99}}, "caretaker"), 422)
    assert {"answers.found", "answers.stories"} <= {each["field"] for each in told["errors"]}


def test_nothing_of_the_desk_is_on_the_bus(service: Retail) -> None:
    shop = service.shop()["id"]
    step(service, shop, TODAY)
    assert service.told(shop) == [("published", 2)]
    assert "Fotos machen" not in str(service.facts())


@pytest.mark.parametrize("shops", [250])
def test_many_shops_are_looked_after_some_at_a_time(service: Retail, shops: int) -> None:
    with service.db.transaction() as session:
        for number in range(shops):
            session.add(Shop(content={"title": {"de": f"Viele {number}"}}))
    look(service)
    with service.db.reading() as session:
        many = [
            shop.id for shop in session.exec(select(Shop)) if shop.content["title"]["de"].startswith("Viele")
        ]
    assert all(kinds(service, shop) == {"release-shop": "open"} for shop in (many[0], many[-1]))
