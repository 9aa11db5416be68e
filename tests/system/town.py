"""A running stack as its people meet it: editors write over HTTP, citizens search, operators type `coburg …`."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import httpx2

from cli.home import ROOT
from tests.stack import Stack
from tests.system import bus

Json = dict[str, Any]


class Town:
    """Clients of one stack. `offers` is an editor's, `search` a citizen's; close it when done."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.offers = client(stack.url("offers"), stack.headers("editor"))
        self.search = client(stack.url("search"))

    def close(self) -> None:
        """Closes the connections."""
        self.offers.close()
        self.search.close()

    def create(
        self, content: Json, headers: Mapping[str, str] | None = None, *, publish: bool = True
    ) -> httpx2.Response:
        """Posts an offer."""
        body = {"board": "kita", "publish": publish, "content": content}
        return self.offers.post("/v1/offers", json=body, headers=headers)

    def move(self, offer: str, version: int, action: str) -> httpx2.Response:
        """Has an offer submitted, published or withdrawn."""
        return self.offers.post(f"/v1/offers/{offer}/{action}", headers=if_match(version))

    def change(self, offer: str, version: int, content: Json) -> httpx2.Response:
        """Replaces what is said of an offer."""
        return self.offers.put(f"/v1/offers/{offer}", json=content, headers=if_match(version))

    def find(self, q: str = "", **asked: Any) -> Json:
        """What a citizen gets to see."""
        found: Json = self.search.get("/v1/search", params={"q": q, **asked}).raise_for_status().json()
        return found

    def total(self, q: str = "", **asked: Any) -> int:
        """How many things answer a question."""
        return int(self.find(q, limit=1, **asked)["total"])

    def lag(self) -> int:
        """How many facts search has yet to take in."""
        return int(self.search.get("/v1/index/status").raise_for_status().json()["lag"]["messages"])

    def facts(self, stream: str = "CITY") -> list[bus.Stored]:
        """Everything a stream holds."""
        return asyncio.run(bus.stored(self.stack.url("nats"), stream))

    def last_sequence(self, stream: str) -> int:
        """The number of a stream's newest message."""
        return asyncio.run(bus.state(self.stack.url("nats"), stream)).last_seq

    def delete_consumer(self, name: str) -> None:
        """Takes a durable of CITY away, as a mistaken operator would."""
        asyncio.run(bus.delete_consumer(self.stack.url("nats"), name))

    def coburg(self, *words: str) -> str:
        """What `coburg …` prints for this stack."""
        command = [sys.executable, "-m", "cli", *words]
        wide = {**self.stack.home.environ, "COLUMNS": "200"}
        return subprocess.run(
            command, env=wide, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        ).stdout


def client(url: str, headers: dict[str, str] | None = None) -> httpx2.Client:
    """A client of one service, patient enough for an outage."""
    return httpx2.Client(base_url=url, headers=headers, timeout=30, trust_env=False)


def if_match(version: int) -> dict[str, str]:
    """The header that says which version one has seen."""
    return {"If-Match": f'"{version}"'}


def unique_word() -> str:
    """A word that nothing else contains or resembles, and that no dictionary takes apart."""
    return "".join(random.choices("bcdfghjklmnpqrstvwxz", k=14))


def content(word: str) -> Json:
    """A complete offer in which a word stands."""
    return {
        "title": {"de": f"Waldgruppe {word}", "en": f"Forest group {word}"},
        "summary": {"de": "Ein Vormittag im Wald."},
        "fields": {"facility": "forest", "concept": ["waldorf"], "places": 15},
    }
