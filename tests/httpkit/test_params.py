"""Parameters that edges share: only ids that are ids, only instants that the calendar knows in UTC."""

from datetime import UTC, datetime

import pytest
from fastapi import APIRouter
from uuid_utils import uuid4, uuid7

from libs.httpkit.params import Id, Slug, ThingId, UtcInstant
from tests.servicekit.conftest import Probe, problem

router = APIRouter()


@router.get("/v1/ids/{thing}")
def by_id(thing: Id) -> str:
    return thing


@router.get("/v1/things/{thing}")
def by_thing(thing: ThingId) -> str:
    return thing


@router.get("/v1/slugs/{name}")
def by_slug(name: Slug) -> str:
    return name


@router.get("/v1/instants")
def at(since: UtcInstant) -> datetime:
    return since


def test_what_fits_and_what_does_not(start: Probe) -> None:
    client, known = start(app={"routers": [router]}), str(uuid7())
    for fits in (f"ids/{known}", "things/note_1-A", "slugs/kita-platz"):
        assert client.get(f"/v1/{fits}").json() == fits.partition("/")[2]
    for other in (f"ids/{uuid4()}", f"ids/{known.upper()}", "things/a.b", f"things/{'x' * 65}", "slugs/Kita"):
        assert problem(client.get(f"/v1/{other}"), 422)["errors"]


@pytest.mark.parametrize("since", ["2026-05-01T10:00:00", "0001-01-01T00:00:00+14:00", "x"])
def test_an_instant_has_a_zone_and_lies_in_the_calendar(start: Probe, since: str) -> None:
    client = start(app={"routers": [router]})
    assert problem(client.get("/v1/instants", params={"since": since}), 422)["errors"][0]["field"] == "since"
    given = client.get("/v1/instants", params={"since": "2026-05-01T12:00:00+02:00"}).json()
    assert datetime.fromisoformat(given) == datetime(2026, 5, 1, 10, tzinfo=UTC)
