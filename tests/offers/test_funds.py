"""Bookings and the board's budget: promised, settled, given back, and said to whoever asked."""

from datetime import date
from typing import Any

from services.offers.funding.domain import PeriodKind, period_of
from services.offers.sessions.models import OfferSession
from tests.offers.booking import Requester, dated
from tests.offers.conftest import COURSE, Offers


class Pot:
    """The budget of the school year in which an offer's new session lies, topped up so that so much is left."""

    def __init__(self, service: Offers, offer: str, left: int, board: str = "course") -> None:
        self.service = service
        (self.session,) = dated(service, offer, 20)
        with service.db.reading() as session:
            on: date = session.get_one(OfferSession, self.session).starts_at.date()
        period = period_of(PeriodKind.SCHOOL_YEAR, on)
        assert period
        self.path = f"/v1/boards/{board}/budgets/{period.key}"
        self.set(left)

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
