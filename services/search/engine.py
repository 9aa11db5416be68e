"""Meilisearch as it is asked and written: searches and documents, over our own wire; the rest is `administration`.

Every method raises Unavailable, or Rejected for what will never be taken.
"""

from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json

from services.search.administration import Administration
from services.search.failures import Json, failure
from services.search.wire import Wire

KEY = "key"
# Whoever wants the number of things that answer asks for this facet: no search reaches all hits.
COUNTED = "listed"
# Filters have no way to write every backslash, so inside Meilisearch a letter of nobody's stands for it.
BACKSLASH = "\ue005"
_IN_JSON, _IN_ENGINE = b"\\\\", BACKSLASH.encode()


class Engine:
    """One Meilisearch server."""

    def __init__(self, url: str, key: str = "") -> None:
        self._wire = Wire(url.rstrip("/"), key)
        self.administration = Administration(url.rstrip("/"), key)

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """A JSON call; raises Unavailable or Rejected."""
        return await self.send(method, path, b"" if body is None else to_json(body))

    async def send(self, method: str, path: str, body: bytes) -> Any:
        """A call with JSON that is bytes already."""
        status, content = await self._wire.request(method, path, body)
        try:
            answer = from_json(content.replace(_IN_ENGINE, _IN_JSON)) if content else None
        except ValueError:
            answer = None
        if status < 300:
            return answer
        raise failure(answer if isinstance(answer, dict) else {"code": f"http_{status}"}, status)

    async def search(self, index: str, query: Json) -> Json:
        """Search one index."""
        answer: Json = await self.call("POST", f"/indexes/{index}/search", query)
        return answer

    async def searches(self, index: str, queries: Sequence[Json]) -> list[Json]:
        """Several searches of one index at once."""
        asked = {"queries": [{"indexUid": index} | query for query in queries]}
        return list((await self.call("POST", "/multi-search", asked))["results"])

    async def facet_search(self, index: str, query: Json) -> Json:
        """Values of one facet that begin like a word."""
        answer: Json = await self.call("POST", f"/indexes/{index}/facet-search", query)
        return answer

    async def facets(self, index: str) -> list[str]:
        """The names of all facets that any document has, nested ones with dots."""
        return list((await self.search(index, {"facets": ["*"], "limit": 0}))["facetDistribution"])

    async def put(self, index: str, documents: Sequence[bytes]) -> int:
        """Enqueue documents to be replaced as a whole; returns the task."""
        body = (b"[" + b",".join(documents) + b"]").replace(_IN_JSON, _IN_ENGINE)
        return int((await self.send("POST", f"/indexes/{index}/documents?primaryKey={KEY}", body))["taskUid"])

    async def update(self, index: str, parts: Sequence[Json]) -> int:
        """Enqueue parts of documents that are there, to be put into them; returns the task."""
        return int((await self.call("PUT", f"/indexes/{index}/documents?primaryKey={KEY}", parts))["taskUid"])

    async def fetch(self, index: str, query: Json) -> list[Json]:
        """Documents as they are stored, by ids or a filter."""
        return list((await self.call("POST", f"/indexes/{index}/documents/fetch", query))["results"])

    async def versions(self, index: str, keys: Sequence[str]) -> dict[str, int]:
        """The version each of these documents has; unknown ones are left out."""
        query = {"ids": keys, "fields": [KEY, "version"], "limit": len(keys)}
        return {one[KEY]: one["version"] for one in await self.fetch(index, query)}

    async def close(self) -> None:
        """Drop the connections."""
        self.administration.close()
        await self._wire.close()


def total(answer: Json) -> int:
    """How many things answer, also beyond those that an answer reaches."""
    return int(answer.get("facetDistribution", {}).get(COUNTED, {}).get("true", 0))
