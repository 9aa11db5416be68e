"""One project reaches into another: a construction site announced on the bus, until 10,000 shops can be found by their notice.

The limit is the engine alone: the same documents added to an empty index with the same settings, in the best batch size.
"""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import nats
from meilisearch import Client
from sqlalchemy import insert
from uuid_utils import uuid7

from benchmarks.report import Figure, Row
from benchmarks.stack import administrator, cpu_seconds, documents, encoded, engine, stack
from cli.home import ROOT
from libs.contracts.agenda import Corner, SiteAnnounced
from libs.contracts.card import Period, Place
from libs.contracts.event import envelope
from libs.servicekit.db import Database, now
from services.retail.shops.models import Shop
from tests.stack import Stack

MIGRATIONS = ROOT / "services" / "retail" / "migrations"
INDEX = "cards"
SHOPS, GOAL = 10_000, 1.6
BATCHES = (1000, 2500, 10_000)
CENTRE = (50.2587, 10.9644)
LINES = "Käse, Wein und Brot aus der Region, jeden Tag frisch. Beratung und Geschenke."


def run(folder: Path) -> tuple[list[Row], list[Figure]]:
    """One round: the town first, then the engine alone."""
    folder.mkdir(parents=True, exist_ok=True)
    _fill(folder)
    with stack(folder) as running, engine(running) as bare:
        running.start("nats", "meilisearch").provision()
        running.launch("search", "retail")
        before = {name: cpu_seconds(running.children[name].pid) for name in ("retail", "search")}
        taken = _announced(running, bare)
        figures = [
            Figure(
                f"construction site, 10,000 shops: CPU of {name}",
                cpu_seconds(running.children[name].pid) - spent,
                "s",
            )
            for name, spent in before.items()
        ]
        administrated = administrator(running)
        found = documents(administrated, INDEX)
        settings = administrated.index(INDEX).get_settings()
        running.stop("retail", "search")
        best = min(_directly(administrated, bare, settings, found, size) for size in BATCHES)
    name = "construction site → 10,000 shops searchable with it, against indexing the same documents"
    return [Row(name, taken, best, taken / best, GOAL, at_least=False, unit="s")], figures


def _fill(folder: Path) -> None:
    """Shops that nobody was told of yet, all within reach."""
    db = Database(f"sqlite:///{folder / 'retail.db'}")
    db.migrate(MIGRATIONS)
    with db.transaction() as session:
        for start in range(0, SHOPS, 1000):
            session.execute(insert(Shop.__table__), [_shop(start + n) for n in range(1000)])  # type: ignore[attr-defined]
    db.dispose()


def _shop(number: int) -> dict[str, Any]:
    lat, lon = CENTRE[0] + (number % 100) / 100_000, CENTRE[1] + (number // 100) / 100_000
    content = {
        "title": {"de": f"Laden {number}"}, "summary": {"de": LINES}, "assortment": ["dairy-eggs", "wine-drinks"],
        "hours": "Mo-Fr 09:00-18:00; Sa 09:00-14:00", "place": {"lat": lat, "lon": lon, "street": f"Markt {number}"},
    }  # fmt: skip
    return {
        "id": str(uuid7()), "status": "published", "version": 1, "content": content, "lat": lat, "lon": lon,
        "notices": [], "pruned": False, "created_at": now(), "changed_at": now(), "published_at": now(),
    }  # fmt: skip


def _announced(running: Stack, bare: httpx2.Client) -> float:
    """Seconds until the last notice is searchable, asked of the engine itself."""
    started = time.perf_counter()
    asyncio.run(_tell(running.url("nats")))
    question = {"q": "", "filter": "facets.notice = site", "hitsPerPage": 1}
    while bare.post(f"/indexes/{INDEX}/search", json=question).json().get("totalHits", 0) < SHOPS:
        time.sleep(0.05)
    return time.perf_counter() - started


async def _tell(url: str) -> None:
    place = Place(lat=CENTRE[0], lon=CENTRE[1])
    period = Period(start=date.today(), end=date.today() + timedelta(days=30))
    corners = [Corner(lat=CENTRE[0], lon=CENTRE[1])]
    fact = SiteAnnounced(
        title={"de": "Kanalbau"}, place=place, corners=corners, reach_metres=2000, period=period
    )
    site = str(uuid7())
    event = envelope(
        fact, event_id=str(uuid7()), subject=site, version=1, time=datetime.now(UTC), prefix="de.coburg",
        schema_base="http://localhost/v1/events", traceparent=None,
    )  # fmt: skip
    client = await nats.connect(url)
    await client.jetstream().publish(fact.subject(site), event.to_bytes())
    await client.close()


def _directly(
    administrated: Client, bare: httpx2.Client, settings: Any, found: list[dict[str, Any]], size: int
) -> float:
    index = f"limit_{size}"
    for task in (
        administrated.create_index(index, {"primaryKey": "key"}),
        administrated.index(index).update_settings(settings),
    ):
        administrated.wait_for_task(task.task_uid, timeout_in_ms=600_000, interval_in_ms=10)
    batches = [encoded(found[start : start + size]) for start in range(0, len(found), size)]
    started = time.perf_counter()
    last = 0
    for batch in batches:
        headers = {"Content-Type": "application/json"}
        answer = bare.post(f"/indexes/{index}/documents", content=batch, headers=headers)
        last = int(answer.raise_for_status().json()["taskUid"])
    while bare.get(f"/tasks/{last}").json()["status"] in ("enqueued", "processing"):
        time.sleep(0.01)
    taken = time.perf_counter() - started
    done = administrated.delete_index(index)
    administrated.wait_for_task(done.task_uid, timeout_in_ms=600_000, interval_in_ms=10)
    return taken
