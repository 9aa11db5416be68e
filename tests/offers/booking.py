"""People who book, for tests: offers with dates, requests over HTTP, and the messages that were asked for."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import func, select
from uuid_utils import uuid7

from libs.servicekit.db import now
from libs.servicekit.links import Links
from libs.servicekit.tables import outbox
from libs.town.calendar import read
from services.offers.bookings.messages import Desk
from services.offers.bookings.models import Booking, BookingDate
from services.offers.bookings.runner import sweep
from services.offers.offers.models import Offer
from services.offers.places import commands as places
from services.offers.places.models import Stock
from services.offers.sessions.models import OfferSession
from tests.offers.conftest import Offers

CONTENT = {"course": {"fields": {"level": "easy"}}, "room": {"fields": {"open": "Mo-Su 08:00-20:00"}}}


def offered(service: Offers, board: str = "course", provider: str | None = None, **places_: Any) -> str:
    """A public offer, perhaps with places of its own."""
    content = {"title": {"de": "Töpfern"}} | CONTENT.get(board, {})
    offer = service.draft(content, provider, board=board, publish=True)
    if places_:
        answer = service.call("PUT", f"/v1/offers/{offer}/places", places_, "editor", version=0)
        assert answer.status_code == 200, answer.text
    return offer


def dated(service: Offers, offer: str, *maxima: int | None, start: datetime | None = None) -> list[str]:
    """Sessions of an offer, a day apart, with so many places each."""
    first = start or now() + timedelta(days=10)
    rows = [
        OfferSession(
            offer_id=offer,
            starts_at=first + timedelta(days=number),
            ends_at=first + timedelta(days=number, hours=2),
            places_max=most,
        )
        for number, most in enumerate(maxima)
    ]
    with service.db.transaction() as session:
        session.add_all(rows)
        session.flush()
        found = session.get(Offer, offer)
        assert found
        places.ensure(session, found, {row.id: row.places_max for row in rows})
    return [row.id for row in rows]


class Requester:
    """Somebody with a recipient id of notify's, and the link of the last booking."""

    def __init__(self, service: Offers) -> None:
        self.service, self.id = service, str(uuid7())
        self.link, self.booking = "", ""

    def ask(self, offer: str, *dates: str, **more: Any) -> httpx2.Response:
        """Request a booking."""
        form = {"age": 9} if "form" not in more and not more.pop("bare", False) else more.pop("form", {})
        body = {"offer_id": offer, "recipient_id": self.id, "session_ids": list(dates), "form": form, **more}
        answer = self.service.call("POST", "/v1/bookings", body)
        if answer.status_code == 201:
            self.link, self.booking = answer.json()["token"], answer.json()["booking"]["id"]
        return answer

    def call(
        self, method: str, step: str = "", body: Any = None, version: int | None = None
    ) -> httpx2.Response:
        """Come back through the link."""
        path = f"/v1/bookings/{self.booking}{step and '/' + step}"
        return self.service.call(method, path, body, version=version, headers={"Link-Token": self.link})

    def see(self) -> dict[str, Any]:
        """The booking in full."""
        answer = self.call("GET")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @property
    def version(self) -> int:
        """The booking's version."""
        return int(self.see()["version"])

    def messages(self) -> list[dict[str, Any]]:
        """What notify was asked to tell this recipient, oldest first."""
        query = select(outbox.c.body).where(outbox.c.subject.like("internal.notify.message.requested.v1.%"))
        with self.service.db.reading() as session:
            bodies = [json.loads(body) for body in session.execute(query.order_by(outbox.c.id)).scalars()]
        return [body["data"] for body in bodies if body["data"]["recipient_id"] == self.id]

    def told(self) -> list[str]:
        """The templates of these."""
        return [message["template"] for message in self.messages()]


def taken(service: Offers, stock: str) -> int:
    """How many places of a stock are taken; fails unless that is what bookings hold."""
    with service.db.reading() as session:
        count = session.execute(select(Stock.taken).where(Stock.id == stock)).scalar_one()  # type: ignore[call-overload]
        held = select(func.coalesce(func.sum(Booking.places), 0)).join(
            BookingDate,
            BookingDate.booking_id == Booking.id,  # type: ignore[arg-type]
        )
        held = held.where(BookingDate.stock_id == stock, Booking.held)  # type: ignore[arg-type]
        assert session.execute(held).scalar_one() == count
    return int(count)


DESK = Desk(read(Path("city")), Links("k" * 40))


def swept(service: Offers) -> None:
    """What is due by time alone is done; the service does the same every few seconds."""
    for _ in sweep(service.db, DESK):
        pass
