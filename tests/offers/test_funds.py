"""Bookings and the board's budget: promised, settled, given back, and said to whoever asked."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.offers.funding.domain import PeriodKind, period_of
from services.offers.sessions.models import OfferSession
from tests.offers.booking import Requester, dated
from tests.offers.conftest import COURSE, Offers


class Budget:
    """A board's budget that pays for a day, topped up so that so much is left."""

    def __init__(self, service: Offers, board: str, kind: PeriodKind, on: date, left: int) -> None:
        self.service, self.board, self.on = service, board, on
        period = period_of(kind, on)
        assert period
        self.path = f"/v1/boards/{board}/budgets/{period.key}"
        self.set(left)

    def quoted(self, persons: int, price_cents: int) -> int:
        """What a booking of this price would be granted now."""
        asked: dict[str, str | int] = {"persons": persons, "price_cents": price_cents, "on": str(self.on)}
        answer = self.service.http.get(f"/v1/boards/{self.board}/funding/quote", params=asked)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["granted_cents"])

    def set(self, left: int) -> None:
        seen = self.service.http.get(self.path)
        version, promised = 0, 0
        if seen.status_code == 200:
            version, budget = seen.json()["version"], seen.json()
            promised = budget["reserved_cents"] + budget["granted_cents"]
        body = {"amount_cents": promised + left}
        assert self.service.call("PUT", self.path, body, "editor", version=version).status_code == 200

    @property
    def left(self) -> int:
        return int(self.service.http.get(self.path).json()["left_cents"])


class Pot(Budget):
    """The budget of the school year in which an offer's new session lies."""

    def __init__(self, service: Offers, offer: str, left: int, board: str = "course") -> None:
        (self.session,) = dated(service, offer, 20)
        with service.db.reading() as session:
            on: date = session.get_one(OfferSession, self.session).starts_at.date()
        super().__init__(service, board, PeriodKind.SCHOOL_YEAR, on, left)


def priced(service: Offers, **said: Any) -> str:
    return service.draft(COURSE | said, publish=True)


def granted(requester: Requester) -> tuple[str, int]:
    grant = requester.see()["grant"]
    return grant["state"], grant["cents"]


def test_a_booking_is_paid_for_in_part(service: Offers) -> None:
    offer = priced(service, price_cents=2000, price_per="group")
    pot = Pot(service, offer, 10_000)
    group = Requester(service)
    assert group.ask(offer, pot.session, places=4).json()["booking"]["grant"] == {
        "state": "reserved",
        "cents": 800,
    }
    assert (pot.left, group.messages()[-1]["facts"]["granted_cents"]) == (9200, 800)
    form = {"form": {"age": 9}, "session_ids": [pot.session]}
    assert group.call("PUT", "", {"places": 5, **form}, version=1).status_code == 200
    assert granted(group) == ("reserved", 1000)
    path = f"/v1/bookings/{group.booking}/approve"
    assert service.call("POST", path, None, "editor", version=2).status_code == 200
    assert granted(group) == ("granted", 1000)
    assert group.call("POST", "cancel", version=3).status_code == 200
    assert (granted(group), pot.left) == (("released", 0), 10_000)


def test_a_dry_budget_holds_up_no_booking(service: Offers) -> None:
    offer = priced(service, price_cents=300)
    pot = Pot(service, offer, 450)
    first, second = Requester(service), Requester(service)
    first.ask(offer, pot.session, places=3)
    answer = second.ask(offer, pot.session, places=1)
    assert (granted(first), granted(second)) == (("reserved", 450), ("refused", 0))
    assert answer.json()["booking"]["status"] == "pending"
    assert second.messages()[-1]["facts"]["granted_cents"] == 0
    decline = f"/v1/bookings/{first.booking}/decline"
    assert service.call("POST", decline, {"reason": "full"}, "editor", version=1).status_code == 200
    approve = f"/v1/bookings/{second.booking}/approve"
    assert service.call("POST", approve, None, "editor", version=1).status_code == 200
    assert granted(second) == ("granted", 150), "there is enough by now"
    assert pot.left == 300


def test_whoever_comes_along_is_paid_for_too(service: Offers) -> None:
    content = {"title": {"de": "Theater"}, "price_cents": 9000, "price_per": "group"}
    offer = service.draft(content, board="group", publish=True)
    pot = Pot(service, offer, 10_000, "group")
    school = Requester(service)
    form = {"children": 10, "adults": 1}
    assert school.ask(offer, pot.session, form=form).status_code == 201
    assert granted(school) == ("granted", 2200)
    for version, adults, cents in ((1, 3, 2600), (2, 0, 2000)):
        wish = {"session_ids": [pot.session], "form": form | {"adults": adults}}
        assert school.call("PUT", "", wish, version=version).status_code == 200
        assert (granted(school), pot.left) == (("granted", cents), 10_000 - cents)


def test_a_room_is_paid_for_by_the_hour(service: Offers) -> None:
    hourly = {"space": "machine", "billing": "hour", "hours": "Mo-Su 08:00-20:00"}
    content = {"title": {"de": "Lasercutter"}, "price_cents": 800, "fields": hourly}
    machine = service.draft(content, board="raum", publish=True)
    nine = datetime.now(ZoneInfo("Europe/Berlin")).replace(hour=9, minute=0, second=0, microsecond=0)
    slot = {"starts_at": nine + timedelta(days=20), "ends_at": nine + timedelta(days=20, hours=2.5)}
    budget = Budget(service, "raum", PeriodKind.CALENDAR_YEAR, slot["starts_at"].date(), 5000)
    maker = Requester(service)
    asked = {key: value.isoformat() for key, value in slot.items()}
    grant = maker.ask(machine, bare=True, slot=asked).json()["booking"]["grant"]
    assert budget.quoted(1, 3 * 800) == 1200, "half of three hours at 8 €: what was begun counts in full"
    assert grant == {"state": "granted", "cents": 1200}
    assert (budget.left, maker.messages()[-1]["facts"]["granted_cents"]) == (3800, 1200)
    asked["ends_at"] = (slot["ends_at"] + timedelta(hours=1)).isoformat()
    assert maker.call("PUT", "", {"slot": asked}, version=1).status_code == 200
    assert granted(maker) == ("granted", 1500), "no more than that for one booking"
    assert maker.call("POST", "cancel", version=2).status_code == 200
    assert (granted(maker), budget.left) == (("released", 0), 5000)


def test_a_founder_pays_the_rest_of_a_workshop(service: Offers) -> None:
    fields = {"format": "workshop", "topic": ["idea"], "cost": "paid"}
    content = {"title": {"de": "Prototyp"}, "price_cents": 9000, "fields": fields}
    workshops = [service.draft(content, board="gruender", publish=True) for _ in range(3)]
    dates = [dated(service, workshop, 10)[0] for workshop in workshops]
    with service.db.reading() as session:
        on = session.get_one(OfferSession, dates[0]).starts_at.date()
    budget = Budget(service, "gruender", PeriodKind.CALENDAR_YEAR, on, 20_000)
    assert budget.quoted(1, 9000) == 3600
    founder = Requester(service)
    cents = [
        founder.ask(workshop, day, bare=True).json()["booking"]["grant"]["cents"]
        for workshop, day in zip(workshops, dates, strict=True)
    ]
    assert cents == [3600, 3600, 2800], "100 € for one founder in a year"
    assert budget.left == 10_000


def test_whoever_asks_many_centres_holds_no_money_until_one_says_yes(service: Offers) -> None:
    content = {"title": {"de": "Krippe"}, "price_cents": 15_000, "fields": {"facility": "daycare"}}
    centre = service.draft(content, board="kita", publish=True)
    service.call("PUT", f"/v1/offers/{centre}/places", {"max": 30, "free": 2}, "editor", version=0)
    budget = Budget(service, "kita", PeriodKind.SCHOOL_YEAR, date.today(), 8000)
    form = {"born": "2026-02-01", "wanted_from": "2027-09-01"}
    first, second = Requester(service), Requester(service)
    for family in (first, second):
        assert family.ask(centre, form=form).json()["booking"]["grant"] is None
    assert budget.left == 8000
    path = f"/v1/bookings/{second.booking}/approve"
    assert service.call("POST", path, None, "editor", version=1).status_code == 200
    assert (granted(second), budget.left) == (("granted", 7500), 500)
