"""A period of holiday care for tests: announced on the board of courses, wished for, closed, given out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
from sqlalchemy import func, select, update
from sqlmodel import col

from libs.servicekit.tables import outbox
from services.offers.allocation.models import Period, WishingChild
from tests.offers.conftest import COURSE, Offers
from tests.waiting import until

WEEKS = [
    {"name": "w1", "title": {"de": "Woche 1"}, "start": "2099-08-03", "end": "2099-08-07"},
    {"name": "w2", "title": {"de": "Woche 2"}, "start": "2099-08-10", "end": "2099-08-14"},
    {"name": "w3", "title": {"de": "Woche 3"}, "start": "2099-08-17", "end": "2099-08-21"},
]


class Holidays:
    """A period of the tests: what there is to wish for by name, such as `w1 lake`."""

    def __init__(self, service: Offers, provider: str | None = None, **change: Any) -> None:
        self.service = service
        offers = {
            name: service.draft(COURSE | {"title": {"de": name}}, provider, publish=True)
            for name in ("lake", "wood")
        }
        activities = [
            {"slot": week["name"], "offer_id": offer, "places": places}
            for week in WEEKS
            for (name, offer), places in zip(offers.items(), (1, 2), strict=True)
        ]
        instant = datetime.now(UTC)
        self.body = {
            "title": {"de": "Sommer"},
            "wishes_from": (instant - timedelta(days=1)).isoformat(),
            "wishes_until": (instant + timedelta(days=1)).isoformat(),
            "slots": WEEKS,
            "activities": activities,
        } | change
        answer = service.call("POST", "/v1/boards/course/periods", self.body, "editor")
        assert answer.status_code == 201, answer.text
        self.period = answer.json()
        self.path = f"/v1/periods/{self.period['id']}"
        assert answer.headers["Location"] == self.path
        self.ids = {f"{each['slot']} {each['title']['de']}": each["id"] for each in self.period["activities"]}
        self.names = {id_: name for name, id_ in self.ids.items()}

    def child(self, label: str, *wishes: str, claims: tuple[str, ...] = ()) -> dict[str, Any]:
        """A child's wishes, such as `w1 lake`, in order; a claim may name its activity behind an @."""
        by_slot: dict[str, list[str]] = {}
        for wish in wishes:
            by_slot.setdefault(wish.partition(" ")[0], []).append(self.ids[wish])
        claimed = [claim.partition("@") for claim in claims]
        said = [{"criterion": name, "activity": self.ids[at] if at else None} for name, _, at in claimed]
        return {"label": label, "born": "2090-05", "wishes": by_slot, "claims": said}

    def wish(self, *children: dict[str, Any], **more: Any) -> httpx2.Response:
        """Hand in a family's wishes."""
        headers = more.pop("headers", {})
        body = {"recipient_id": f"r-{uuid4()}", "children": list(children)} | more
        return self.service.call("POST", f"{self.path}/wishlists", body, headers=headers)

    def family(self, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The same, and it was taken."""
        answer = self.wish(*children, **more)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def open(
        self, family: dict[str, Any], method: str = "GET", body: Any = None, **more: Any
    ) -> httpx2.Response:
        """A wish list through its link."""
        headers = {"Link-Token": family["token"]}
        return self.service.call(method, f"/v1/wishlists/{family['id']}", body, headers=headers, **more)

    def confirm(self, child: dict[str, Any], claims: list[dict[str, Any]]) -> httpx2.Response:
        path = f"{self.path}/children/{child['id']}/confirmed"
        return self.service.call("PUT", path, {"claims": claims}, "editor", version=child["version"])

    def shift(self, **columns: Any) -> None:
        """Let time pass: the period's dates are moved instead."""
        with self.service.db.transaction() as session:
            session.execute(update(Period).where(Period.id == self.period["id"]).values(columns))

    def reaches(self, status: str) -> dict[str, Any]:
        """The period once it stands so."""
        until(lambda: self.read()["status"] == status, 30)
        return self.read()

    def read(self) -> dict[str, Any]:
        """The period as everybody sees it."""
        found: dict[str, Any] = self.service.call("GET", self.path).json()
        return found

    def close(self) -> None:
        self.shift(wishes_until=datetime.now(UTC))
        self.reaches("closed")

    def allocate(self, *, dry_run: bool = False) -> httpx2.Response:
        return self.service.call("POST", f"{self.path}/allocate", None, "editor", params={"dry_run": dry_run})

    def given_out(self) -> dict[str, Any]:
        """The result, once there is one."""
        self.close()
        assert self.allocate().status_code == 202
        self.reaches("allocated")
        until(lambda: not self._unbooked(), 60)
        found: dict[str, Any] = self.service.call("GET", f"{self.path}/result", None, "editor").json()
        return found

    def _unbooked(self) -> int:
        with self.service.db.reading() as session:
            mine = select(func.count()).where(col(WishingChild.period_id) == self.period["id"])
            query = mine.where(col(WishingChild.placed) > 0, col(WishingChild.booked).is_(False))
            return int(session.execute(query).scalar_one())

    def answers(self, family: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
        """By label and slot what a family's children got."""
        children = self.open(family).json()["children"]
        return {(child["label"], each["slot"]): each for child in children for each in child["answers"]}

    def got(self, family: dict[str, Any]) -> dict[tuple[str, str], str | None]:
        return {key: self.names.get(each["activity"]) for key, each in self.answers(family).items()}

    def messages(self, recipient: str) -> list[dict[str, Any]]:
        """What notify was asked to tell a recipient."""
        with self.service.db.reading() as session:
            query = (
                select(outbox.c.body).where(outbox.c.subject.like("internal.notify.%")).order_by(outbox.c.id)
            )
            asked = [json.loads(row.body)["data"] for row in session.execute(query)]
        return [
            data for data in asked if (data["recipient_id"], data["about"]["kind"]) == (recipient, "period")
        ]
