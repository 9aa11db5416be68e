"""Retail in the worst moments: killed in an import, killed while it spreads a site, without its broker, without room for pictures."""

import json
import shutil
import time
from collections import Counter
from typing import Any

from libs.contracts.agenda import SiteAnnounced
from tests.retail.conftest import CHEESE, Retail
from tests.retail.test_pictures import picture, send
from tests.retail.test_sites import Agenda
from tests.service import problem
from tests.waiting import until

SHOPS, NEAR = 1500, 300


def lines(source: str) -> bytes:
    rows = [
        {"key": f"{source}-{number}", **CHEESE, "title": {"de": f"{source} {number}"}}
        for number in range(SHOPS)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def accepted(service: Retail, content: bytes, source: str) -> str:
    headers = service.stack.headers("editor") | {"Content-Type": "application/x-ndjson"}
    answer = service.http.post("/v1/imports", content=content, params={"source": source}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["Location"])


def seen(service: Retail, place: str) -> dict[str, Any]:
    found: dict[str, Any] = service.call("GET", place, None, "editor").json()
    return found


def test_killed_in_an_import_it_goes_on_where_it_stopped(lone: Retail) -> None:
    place = accepted(lone, lines("killed"), "killed")
    until(lambda: seen(lone, place)["rows_done"])
    lone.stack.kill9("retail")
    lone.stack.launch("retail")
    done = lone.finished(place)
    assert (done["created"], done["changed"], done["broken"]) == (SHOPS, 0, 0)
    mine = [fact for fact in _told(lone, "published") if fact["data"]["title"]["de"].startswith("killed ")]
    times = Counter(fact["subject"] for fact in mine)
    assert len(times) == SHOPS
    assert set(times.values()) == {1}


def test_killed_while_it_spreads_a_site_it_tells_every_shop_once(lone: Retail) -> None:
    agenda = Agenda(lone)
    rows = [
        {"key": f"near-{number}", **CHEESE, "place": {"lat": agenda.lat + number / 1e6, "lon": 10.0}}
        for number in range(NEAR)
    ]
    lone.finished(accepted(lone, "\n".join(map(json.dumps, rows)).encode(), "near"))
    mine = {fact["subject"] for fact in _told(lone, "published") if _near(fact, agenda)}
    assert len(mine) == NEAR
    agenda.tell(SiteAnnounced, 1)
    until(lambda: _saying(lone, mine))
    lone.stack.kill9("retail")
    lone.stack.launch("retail")
    until(lambda: len(_saying(lone, mine)) == NEAR, 60)
    told = Counter(fact["subject"] for fact in _told(lone, "changed") if fact["subject"] in mine)
    assert set(told.values()) == {1}


def _told(service: Retail, name: str) -> list[dict[str, Any]]:
    """Every fact of this name about a shop."""
    return [fact for fact in service.facts(kind="shop") if f".shop.{name}." in fact["type"]]


def _near(fact: dict[str, Any], agenda: Agenda) -> bool:
    place = fact["data"].get("place") or {}
    return abs(float(place.get("lat") or 0) - agenda.lat) < 0.001


def _saying(service: Retail, mine: set[str]) -> set[str]:
    changed = _told(service, "changed")
    return {fact["subject"] for fact in changed if fact["subject"] in mine and fact["data"]["notices"]}


def test_without_a_broker_what_is_said_is_kept_and_told_later(lone: Retail) -> None:
    shop = lone.shop()["id"]
    lone.relayed()
    lone.stack.kill9("nats")
    times = {"hours": "Mo-Su 10:00-20:00"}
    answer = lone.call("PUT", f"/v1/shops/{shop}/hours", times, "caretaker", version=2)
    assert answer.status_code == 200
    time.sleep(0.5)
    lone.stack.launch("nats")
    assert lone.told(shop) == [("published", 2), ("changed", 3)]


def test_without_room_for_pictures_it_says_so_and_goes_on_later(lone: Retail) -> None:
    folder = lone.stack.home.folder / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.touch()
    answer = send(lone, picture(size=(333, 333)))
    assert problem(answer, 503)
    assert answer.headers["Retry-After"]
    folder.unlink()
    assert send(lone, picture(size=(333, 333))).status_code == 201
