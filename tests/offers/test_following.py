"""What changes at an offer reaches everyone booked, once: through the bus, with every delivery twice."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import nats
from sqlmodel import select

from cli.home import ROOT
from libs.contracts.topology import BOOKINGS, replay_subject
from libs.servicekit.db import now
from libs.servicekit.principal import Principal
from libs.servicekit.tables import inbox
from services.offers.needs.models import Need, NeedMark
from services.offers.offers.commands import expire_due
from services.offers.sessions import commands as sessions
from services.offers.sessions.domain import Move, SessionContent
from services.offers.sessions.town import read
from tests.offers.booking import Requester, dated, offered, taken
from tests.offers.conftest import Offers
from tests.waiting import until


def again(service: Offers, fact: dict[str, Any]) -> None:
    """Have an event that was heard delivered a second time, and wait until that is settled."""

    async def send() -> None:
        client = await nats.connect(service.stack.url("nats"))
        js = client.jetstream()
        name = ".".join(fact["type"].split(".")[-4:])
        subject = f"{replay_subject(BOOKINGS.name)}.city.{name}.{fact['subject']}"
        await js.publish(subject, json.dumps(fact).encode())
        durable = BOOKINGS.durables[1]
        for _ in range(500):
            info = await js.consumer_info(durable.stream, durable.durable)
            if info.num_pending == info.num_ack_pending == 0:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("not settled")
        await client.close()

    asyncio.run(send())


def heard(service: Offers, fact: dict[str, Any]) -> None:
    """Wait until an event has had its effect; then deliver it once more."""

    def noted() -> bool:
        found = select(inbox.c.event_id).where(inbox.c.event_id == fact["id"])
        with service.db.reading() as session:
            return session.execute(found).first() is not None

    until(noted)
    again(service, fact)


def people(service: Offers, offer: str, *wishes: list[str]) -> list[Requester]:
    found = [Requester(service) for _ in wishes]
    for person, dates in zip(found, wishes, strict=True):
        assert person.ask(offer, *dates, waiting_list=True).status_code == 201
    return found


def test_everyone_booked_on_a_cancelled_date_is_told_once(service: Offers) -> None:
    offer = offered(service)
    first, second = dated(service, offer, 2, 5)
    one, both, line = people(service, offer, [first], [first, second], [first])
    assert line.see()["status"] == "waiting"
    body = {"reason": "Die Referentin ist krank."}
    service.call("POST", f"/v1/sessions/{first}/cancel", body, "editor", version=1)
    (fact,) = [each for each in service.facts(first) if "cancelled" in each["type"]]
    heard(service, fact)
    assert (one.see()["status"], one.see()["reason"]) == ("cancelled", "session_cancelled")
    assert (both.see()["status"], both.see()["session_ids"]) == ("pending", [second])
    assert line.see()["status"] == "cancelled"
    assert one.told() == ["booking-received", "booking-cancelled"]
    assert both.told() == ["booking-received", "booking-date-cancelled"]
    assert (taken(service, first), taken(service, second)) == (0, 1)
    assert "krank" not in json.dumps([*one.messages(), *both.messages()])


def test_everyone_booked_is_told_of_the_new_time_once(service: Offers) -> None:
    offer = offered(service)
    (date,) = dated(service, offer, 5)
    one, other = people(service, offer, [date], [date])
    other.call("POST", "cancel", version=1)
    start = (now() + timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    moved = service.call(
        "POST", f"/v1/sessions/{date}/move", times | {"reason": "Umzug"}, "editor", version=1
    )
    assert moved.status_code == 200, moved.text
    (fact,) = [each for each in service.facts(date) if "moved" in each["type"]]
    heard(service, fact)
    assert one.told() == ["booking-received", "booking-moved"]
    assert datetime.fromisoformat(one.messages()[1]["facts"]["session_starts_at"]) == start
    assert datetime.fromisoformat(one.see()["starts_at"]) == start
    assert other.told() == ["booking-received", "booking-cancelled"]


def test_a_move_is_told_even_if_the_date_changed_again_meanwhile(service: Offers) -> None:
    offer = offered(service)
    (date,) = dated(service, offer, 5)
    (one,) = people(service, offer, [date])
    start = (now() + timedelta(days=31)).replace(minute=0, second=0, microsecond=0)
    order = Move(reason="Umzug", starts_at=start, ends_at=start + timedelta(hours=1))
    town, editor = read(ROOT / "city"), Principal("editor", frozenset({"editor"}))
    with service.db.transaction() as session:
        sessions.move(session, editor, date, 1, order, town)
        sessions.change(session, editor, date, 2, SessionContent(places_max=7), town)
    told = service.facts(date)
    (moved,) = [each for each in told if "moved" in each["type"]]
    assert told[-1]["sequence"] > moved["sequence"]
    heard(service, moved)
    assert one.told() == ["booking-received", "booking-moved"]


def test_who_booked_the_whole_course_is_told_of_each_date(service: Offers) -> None:
    offer = offered(service, max=5)
    first, second = dated(service, offer, None, None)
    one = Requester(service)
    assert one.ask(offer).status_code == 201
    service.call("POST", f"/v1/sessions/{first}/cancel", {"reason": "Krank"}, "editor", version=1)
    heard(service, service.facts(first)[-1])
    start = (now() + timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    service.call("POST", f"/v1/sessions/{second}/move", times | {"reason": "Umzug"}, "editor", version=1)
    heard(service, service.facts(second)[-1])
    assert one.told() == ["booking-received", "booking-date-cancelled", "booking-moved"]
    assert (one.see()["status"], taken(service, offer)) == ("pending", 1)


def test_a_withdrawn_offer_takes_its_bookings_along(service: Offers) -> None:
    offer = offered(service, max=2)
    one, line = Requester(service), Requester(service)
    one.ask(offer, places=2)
    line.ask(offer, waiting_list=True)
    service.move(offer, "withdraw", service.get(offer).json()["version"], "editor")
    heard(service, service.facts(offer)[-1])
    assert [person.see()["reason"] for person in (one, line)] == ["offer_withdrawn", "offer_withdrawn"]
    assert line.told() == ["booking-waiting", "booking-cancelled"], "nothing is offered of what is gone"
    assert taken(service, offer) == 0


def test_an_offer_that_is_over_keeps_what_was_approved(service: Offers) -> None:
    offer = offered(service, max=5)
    approved, pending = Requester(service), Requester(service)
    approved.ask(offer)
    pending.ask(offer)
    service.call("POST", f"/v1/bookings/{approved.booking}/approve", None, "editor", version=1)
    content = {"title": {"de": "Aus"}, "fields": {"level": "easy"}, "period": {"end": "2020-01-01"}}
    version = service.get(offer).json()["version"]
    service.call("PUT", f"/v1/offers/{offer}", content, "editor", version=version)

    with service.db.transaction() as session:
        expire_due(session, now().date())
    heard(service, service.facts(offer)[-1])
    assert (approved.see()["status"], pending.see()["status"]) == ("approved", "expired")
    assert pending.see()["reason"] == "offer_over"


def test_who_goes_away_empty_handed_is_an_unmet_need(service: Offers) -> None:
    offer = offered(service, max=1)
    Requester(service).ask(offer)
    refused, line = Requester(service), Requester(service)
    assert refused.ask(offer).status_code == 409
    assert refused.ask(offer).status_code == 409
    assert line.ask(offer, waiting_list=True).status_code == 201
    with service.db.reading() as session:
        found = session.exec(
            select(Need.kind, NeedMark.who).join(NeedMark).where(Need.offer_id == offer).order_by(Need.kind)
        ).all()
    assert [kind for kind, _ in found] == ["refused", "waiting"]
    assert refused.id not in str(found)
