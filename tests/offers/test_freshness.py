"""An offer that nobody checks is asked for, marked, hidden, and comes back with one click."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from libs.servicekit.db import now
from libs.servicekit.links import links_of
from libs.servicekit.settings import ServiceSettings, Settings
from services.offers.boards import queries as boards
from services.offers.freshness.commands import age
from services.offers.freshness.domain import Freshness
from services.offers.offers.models import Offer
from tests.offers.conftest import Offers
from tests.service import problem
from tests.waiting import until

RULE = Freshness(overdue_days=90, hidden_days=180, remind_days=14)


def pass_days(service: Offers, days: float, *offers: str, rule: Freshness | None = RULE) -> int:
    """Let offers be as old as that, and do what is due; returns how many moved."""
    links = links_of(Settings(service="offers", own=ServiceSettings(), home=service.stack.home.folder))
    since = now() - timedelta(days=days)
    with service.db.transaction() as session:
        session.execute(update(Offer).where(col(Offer.id).in_(offers)).values(fresh_since=since))
        board = boards.one(session, "course").declared.model_copy(update={"freshness": rule})
        return age(session, board, now(), links)


def check(service: Offers, offer: str, *roles: str, **more: Any) -> Any:
    return service.call("POST", f"/v1/offers/{offer}/check", None, *roles, **more)


def exported(service: Offers, offer: str, since: datetime) -> tuple[str, Any] | None:
    """How an offer stands among the changes."""
    answer = service.http.get("/v1/exports/offers/changes", params={"since": since.isoformat()})
    return next(
        ((each["status"], each["now"]) for each in answer.json()["items"] if each["id"] == offer), None
    )


def test_an_offer_ages_and_comes_back(service: Offers) -> None:
    since = now()
    provider = service.provider()
    service.registered(provider, f"a-{provider}", "reminders")
    offer = service.draft(provider=provider, publish=True)
    assert service.get(offer).json()["checked_as"] == "editor"
    assert pass_days(service, 75, offer) == 0
    assert pass_days(service, 80, offer) == 1
    assert pass_days(service, 80, offer) == 0, "asked once"
    assert service.told(offer) == [("published", 1)], "a reminder is no fact"
    assert pass_days(service, 91, offer) == 1
    assert service.get(offer).json()["overdue"] is True
    assert pass_days(service, 181, offer) == 1
    problem(service.get(offer), 404)
    assert service.get(offer, "editor").json()["status"] == "hidden"
    assert service.told(offer) == [("published", 1), ("changed", 2), ("hidden", 3)]
    until(lambda: exported(service, offer, since) == ("hidden", None), 20)
    _, overdue, hidden = service.facts(offer)
    assert overdue["data"]["card"]["facets"]["freshness"] == ["overdue"]
    assert hidden["data"]["card"]["listed"] is False
    back = check(service, offer, "provider", providers=(provider,))
    assert (back.json()["status"], back.headers["ETag"]) == ("published", '"4"')
    fact = service.facts(offer)[-1]["data"]
    assert (fact["checked_as"], fact["card"]["listed"]) == ("provider", True)
    assert fact["checked_on"] == fact["card"]["checked_on"] == back.json()["checked_on"]
    assert "freshness" not in fact["card"].get("facets", {})
    assert pass_days(service, 0, offer) == 0
    templates = [message["template"] for message in service.asked(f"a-{provider}")]
    assert templates == ["offer-check", "offer-hidden"]


def test_a_second_click_on_the_same_day_changes_nothing(service: Offers) -> None:
    offer = service.draft(publish=True)
    assert check(service, offer, "editor").headers["ETag"] == '"1"', "publishing was a check"
    assert service.told(offer) == [("published", 1)]


def test_the_link_in_a_reminder_checks_without_an_account(service: Offers) -> None:
    provider, other = service.provider("Mit Link"), service.provider("Anderer")
    service.registered(provider, f"b-{provider}", "reminders")
    offers = [service.draft(provider=provider, publish=True) for _ in range(3)]
    foreign = service.draft(provider=other, publish=True)
    assert pass_days(service, 91, *offers) == 3
    assert pass_days(service, 181, *offers) == 3
    (message,) = service.asked(f"b-{provider}")
    assert (message["template"], message["about"]["id"]) == ("offer-hidden", provider)
    assert message["facts"]["offers"] == 3
    link = {"Link-Token": message["facts"]["token"]}
    due = service.call("GET", f"/v1/providers/{provider}/unchecked?limit=2", headers=link).json()
    assert [item["stage"] for item in due["items"]] == ["hidden", "hidden"]
    assert due["next"] == due["items"][1]["id"]
    back = check(service, offers[0], headers=link)
    assert (back.json()["status"], back.json()["checked_as"]) == ("published", "provider")
    problem(check(service, foreign, headers=link), 403)
    problem(service.call("PUT", f"/v1/offers/{offers[0]}", {"title": {"de": "x"}}, headers=link), 401)
    for _ in range(2):
        assert service.call("POST", "/v1/unsubscribe", headers=link).status_code == 204
    problem(check(service, offers[1], headers=link), 403)
    assert check(service, offers[1], "provider", providers=(provider,)).status_code == 200


def test_nobody_is_written_to_who_did_not_ask(service: Offers) -> None:
    provider = service.provider()
    for topic in ("messages", "reminders"):
        service.registered(provider, f"c-{provider}-{topic}", topic)
    listed = service.call("GET", f"/v1/providers/{provider}/recipients", None, "editor").json()["items"]
    assert [item["topics"] for item in listed] == [["messages"], ["reminders"]]
    offer = service.draft(provider=provider, publish=True)
    pass_days(service, 80, offer)
    assert service.asked(f"c-{provider}-messages") == []
    (message,) = service.asked(f"c-{provider}-reminders")
    assert message["about"] == {"kind": "offer", "id": offer, "board": "course"}
    path = f"/v1/providers/{provider}/recipients/c-{provider}-reminders"
    assert service.call("DELETE", path, None, "editor").status_code == 204
    problem(service.call("DELETE", path, None, "editor"), 404)


def test_who_may_check(service: Offers) -> None:
    provider, other = service.provider(), service.provider()
    offer = service.draft(provider=provider, publish=True)
    problem(check(service, offer), 401)
    problem(check(service, offer, "merchant"), 403)
    problem(check(service, offer, "provider", providers=(other,)), 403)
    problem(check(service, offer, headers={"Link-Token": "x.y.z"}), 401)
    assert check(service, offer, "editor").status_code == 200


@pytest.mark.parametrize("steps", [[], ["submit"], ["publish", "withdraw"]])
def test_only_what_is_public_is_checked(service: Offers, steps: list[str]) -> None:
    offer = service.draft()
    for version, step in enumerate(steps, 1):
        service.move(offer, step, version, "editor")
    problem(check(service, offer, "editor"), 409)


def test_a_gentler_rule_brings_offers_back(service: Offers) -> None:
    offer, marked = service.draft(publish=True), service.draft(publish=True)
    assert pass_days(service, 181, offer) == 1
    assert pass_days(service, 91, marked) == 1
    assert pass_days(service, 100, offer, marked, rule=None) >= 2
    assert service.told(offer) == [("published", 1), ("hidden", 2), ("published", 3)]
    assert service.told(marked) == [("published", 1), ("changed", 2), ("changed", 3)]


def test_a_hidden_offer_still_ends_and_is_withdrawn(service: Offers) -> None:
    offer = service.draft(publish=True)
    pass_days(service, 181, offer)
    problem(service.call("PUT", f"/v1/offers/{offer}", {"title": {"de": "Neu"}}, "editor", version=2), 422)
    assert service.move(offer, "withdraw", 2, "editor").json()["status"] == "withdrawn"
    assert service.told(offer)[-1] == ("withdrawn", 3)


def test_an_import_is_a_check(service: Offers) -> None:
    rows = b"key,title.de,fields.level\na,A,easy\nb,B,easy\n"
    service.imported(rows, source="fresh")
    one, two = imported(service, "fresh")
    assert service.get(one.id).json()["checked_as"] == "import"
    pass_days(service, 80, two.id)
    pass_days(service, 181, one.id)
    done = service.imported(rows, source="fresh")
    assert (done["changed"], done["unchanged"]) == (1, 1)
    assert service.told(one.id) == [("published", 1), ("hidden", 2), ("published", 3)]
    assert service.told(two.id) == [("published", 1)], "what was there all the time is nothing to tell"
    for offer in imported(service, "fresh"):
        assert offer.stage == "fresh"
        assert offer.fresh_since
        assert now() - offer.fresh_since < timedelta(minutes=5)


def imported(service: Offers, source: str) -> list[Offer]:
    with service.db.reading() as session:
        return list(session.exec(select(Offer).where(Offer.source == source).order_by(Offer.external_id)))
