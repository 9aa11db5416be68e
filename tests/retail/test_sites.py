"""Where the town builds, shops nearby say so, with the fact that says it; at the end all of it is taken back."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import nats
import pytest
from uuid_utils import uuid7

from libs.contracts.agenda import Corner, Form, SiteAnnounced, SiteChanged, SiteEnded, SiteFact
from libs.contracts.card import Period, Place
from libs.contracts.event import Envelope, envelope
from services.retail.sites.domain import is_near
from tests.retail.conftest import CHEESE, Retail
from tests.waiting import until

START = date.today() + timedelta(days=3)
METRE = 1 / 111_195


def fact(
    kind: type[SiteFact], lat: float, *, form: Form = Form.POINT, more: Any = None, reach: int = 150
) -> SiteFact:
    corners = [Corner(lat=lat, lon=10.0), *(more or [])]
    return kind(
        title={"de": "Kanalbau"},
        access={"de": "Zugang über den Hof"},
        place=Place(lat=lat, lon=10.0),
        form=form,
        corners=corners,
        reach_metres=reach,
        period=Period(start=START, end=START + timedelta(days=30)),
    )


class Agenda:
    """Tells of sites on the bus, as the agenda does."""

    def __init__(self, service: Retail) -> None:
        self.service, self.site = service, str(uuid7())
        self.lat = 20 + (uuid7().int % 100_000) / 10_000  # where no other test builds

    def tell(self, kind: type[SiteFact], version: int, **more: Any) -> str:
        event: Envelope[Any] = envelope(
            fact(kind, more.pop("lat", self.lat), **more),
            event_id=str(uuid7()),
            subject=self.site,
            version=version,
            time=datetime.now(UTC),
            prefix="de.coburg",
            schema_base="http://localhost/v1/events",
            traceparent=None,
        )
        asyncio.run(self._publish(event))
        return event.id

    async def _publish(self, event: Envelope[Any]) -> None:
        client = await nats.connect(self.service.stack.url("nats"))
        await client.jetstream().publish(event.data.subject(self.site), event.to_bytes())
        await client.close()

    def shop(self, metres: float) -> str:
        place = {"lat": self.lat + metres * METRE, "lon": 10.0}
        return str(self.service.shop(CHEESE | {"place": place})["id"])

    def notices(self, shop: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.service.get(shop).json()["notices"]
        return found


def test_shops_nearby_say_so_and_why_and_no_other(service: Retail) -> None:
    agenda = Agenda(service)
    near, far = agenda.shop(100), agenda.shop(200)
    event = agenda.tell(SiteAnnounced, 1)
    (notice,) = until(lambda: agenda.notices(near))
    assert (notice["title"]["de"], notice["text"]["de"]) == ("Kanalbau", "Zugang über den Hof")
    assert notice["cause"] == {"service": "agenda", "aggregate": "site", "id": agenda.site, "event_id": event}
    assert agenda.notices(far) == []
    told = service.facts(near)[-1]["data"]
    assert told["card"]["facets"]["notice"] == ["site"]
    assert told["notices"][0]["cause"]["event_id"] == event


def test_it_is_taken_back_at_the_end(service: Retail) -> None:
    agenda = Agenda(service)
    near = agenda.shop(50)
    agenda.tell(SiteAnnounced, 1)
    until(lambda: agenda.notices(near))
    agenda.tell(SiteEnded, 2)
    until(lambda: not agenda.notices(near))
    assert "notice" not in service.facts(near)[-1]["data"]["card"]["facets"]


def test_a_site_that_moves_takes_its_notices_along(service: Retail) -> None:
    agenda = Agenda(service)
    old, new = agenda.shop(0), agenda.shop(1000)
    agenda.tell(SiteAnnounced, 1)
    until(lambda: agenda.notices(old))
    agenda.tell(SiteChanged, 2, lat=agenda.lat + 1000 * METRE)
    until(lambda: agenda.notices(new) and not agenda.notices(old))


def test_late_repeated_and_disordered_facts_change_nothing(service: Retail) -> None:
    agenda = Agenda(service)
    near = agenda.shop(10)
    agenda.tell(SiteEnded, 3)
    agenda.tell(SiteAnnounced, 1)
    agenda.tell(SiteChanged, 2)
    later = Agenda(service)
    other = later.shop(10)
    later.tell(SiteAnnounced, 1)
    until(lambda: later.notices(other))  # what was told before has arrived as well
    assert agenda.notices(near) == []
    assert service.told(near) == [("published", 2)]
    later.tell(SiteAnnounced, 1)
    third = Agenda(service)
    last = third.shop(10)
    third.tell(SiteAnnounced, 1)
    until(lambda: third.notices(last))
    assert service.told(other) == [("published", 2), ("changed", 3)]


def test_a_shop_that_comes_later_says_so_too(service: Retail) -> None:
    agenda = Agenda(service)
    first = agenda.shop(10)
    agenda.tell(SiteAnnounced, 1)
    until(lambda: agenda.notices(first))
    second = agenda.shop(20)
    until(lambda: agenda.notices(second))


def test_many_shops_are_brought_up_batch_by_batch(service: Retail) -> None:
    agenda = Agenda(service)
    shops = [agenda.shop(number / 10) for number in range(130)]
    agenda.tell(SiteAnnounced, 1)
    until(lambda: all(agenda.notices(shop) for shop in (shops[0], shops[-1])))
    agenda.tell(SiteEnded, 2)
    until(lambda: not any(agenda.notices(shop) for shop in (shops[0], shops[-1])))


@pytest.mark.parametrize(
    ("form", "corners", "point", "near"),
    [
        (Form.POINT, [(0, 0)], (149, 0), True),
        (Form.POINT, [(0, 0)], (151, 0), False),
        (Form.LINE, [(0, 0), (0, 1000)], (140, 500), True),
        (Form.LINE, [(0, 0), (0, 1000)], (0, 1160), False),
        (Form.AREA, [(0, 0), (0, 2000), (2000, 2000), (2000, 0)], (1000, 1000), True),
        (Form.AREA, [(0, 0), (0, 2000), (2000, 2000), (2000, 0)], (-140, 1000), True),
        (Form.AREA, [(0, 0), (0, 2000), (2000, 2000), (2000, 0)], (1000, 2160), False),
        (Form.LINE, [(0, 0), (0, 2000), (2000, 2000), (2000, 0)], (1000, 1000), False),
    ],
)
def test_nearness(form: Form, corners: list[tuple[int, int]], point: tuple[int, int], near: bool) -> None:
    """Metres north and east of a point in the town."""
    first, *rest = [Corner(lat=50 + north * METRE, lon=11 + east * METRE / 0.6428) for north, east in corners]
    site = fact(SiteAnnounced, 50, form=form).model_copy(update={"corners": [first, *rest]})
    assert is_near(site, (50 + point[0] * METRE, 11 + point[1] * METRE / 0.6428)) is near
