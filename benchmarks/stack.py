"""What the benchmarks share: a stack without a rate limit, a typical offer, the Berlin register."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx2
from meilisearch import Client

from cli.home import ROOT
from libs.cardquery.query import Query
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card, Place
from libs.contracts.offers import OfferPublished
from libs.town.calendar import Calendar
from services.search.engine import Engine
from services.search.queries import Queries
from tests.stack import Stack

REGISTER = ROOT.parent / "shared" / "data" / "kitas-berlin.csv"
OFFERS_MIGRATIONS = ROOT / "services" / "offers" / "migrations"
ROWS = 2552
INDEX = "cards"
QUERIES = (
    "montesori kreuzberg",
    "waldorf",
    "kita pankow",
    "eltern initiative",
    "neukölln türkisch",
    "prenzlauer berg",
)


def stack(folder: Path, **settings: str) -> Stack:
    """A whole stack; requests are not limited, since one client sends them all."""
    return Stack(folder, COBURG_RATE_LIMIT="", **settings)


def client(stack: Stack, name: str, *roles: str) -> httpx2.Client:
    """A client of one component."""
    return httpx2.Client(base_url=stack.url(name), headers=stack.headers(*roles), timeout=60)


def engine(stack: Stack) -> httpx2.Client:
    """A bare client of Meilisearch, for what is measured."""
    # A compressed answer comes in two pieces, and the second waits 40 ms for the first to be acknowledged.
    headers = {"Authorization": f"Bearer {stack.meilisearch_key}", "Accept-Encoding": "identity"}
    return httpx2.Client(base_url=stack.url("meilisearch"), headers=headers, timeout=60)


def content(word: str) -> dict[str, Any]:
    """What is said of a typical offer; `word` makes it the only one of its kind."""
    return {
        "title": {"de": f"Töpferwerkstatt {word}", "en": f"Pottery workshop {word}"},
        "summary": {"de": "Ein Vormittag an der Scheibe für Gruppen bis 25 Kinder."},
        "place": {"lat": 50.2587, "lon": 10.9644, "district": "Innenstadt"},
        "fields": {"facility": "daycare", "concept": ["montessori"], "places": 25},
    }


def sample_fact() -> OfferPublished:
    """The fact that such an offer was published."""
    said = content("Ahorn")
    card = Card(
        kind="offer", board="kita", title=said["title"], summary=said["summary"], place=Place(**said["place"])
    )
    return OfferPublished(board="kita", fields=said["fields"], changed_at=datetime.now(UTC), card=card)


def import_register(offers: httpx2.Client) -> str:
    """Send the register; returns where the import can be followed."""
    answer = offers.post(
        "/v1/imports",
        params={"board": "kita", "mapping": "kitas-berlin"},
        headers={"Content-Type": "text/csv"},
        content=REGISTER.read_bytes(),
    )
    return str(answer.raise_for_status().headers["Location"])


def filled(offers: httpx2.Client, search: httpx2.Client) -> None:
    """Send the register and wait until all of it is searchable."""
    place = import_register(offers)
    while (
        offers.get(place).json()["status"] != "done"
        or search.get("/v1/index/status").json()["lag"]["messages"]
    ):
        time.sleep(0.1)


class _Heard:
    """Stands where the engine would, to hear what the gateway asks it."""

    asked: dict[str, Any]

    async def search(self, _index: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked = asked
        return {"hits": [], "totalHits": 1, "facetDistribution": {"listed": {"true": 1}}}


async def as_the_gateway_asks(query: str) -> dict[str, Any]:
    """What Meilisearch is asked for a citizen's question."""
    heard = _Heard()
    words = Vocabulary.of(ROOT / "city").silent
    calendar = Calendar(ZoneInfo("UTC"))
    await Queries(cast("Engine", heard), INDEX, calendar, words).search(Query(q=query))
    return heard.asked


def administrator(stack: Stack) -> Client:
    """Meilisearch by its own client, for what is not measured."""
    return Client(stack.url("meilisearch"), stack.meilisearch_key, timeout=60)


def documents(meilisearch: Client, index: str) -> list[dict[str, Any]]:
    """Every document of an index, as the engine keeps it."""
    found: list[dict[str, Any]] = []
    while True:
        page = meilisearch.index(index).get_documents({"limit": 1000, "offset": len(found)})
        found += [dict(one) for one in page.results]
        if len(found) >= page.total:
            return found


def encoded(batch: list[dict[str, Any]]) -> bytes:
    """A batch as the engine takes it."""
    return json.dumps(batch, ensure_ascii=False).encode()


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors."""
    used = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """What a process holds in memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} is gone")
