"""Meilisearch as this service speaks to it: one method per thing asked, two kinds of failure.

`Unavailable` says try again later (away, overloaded, misconfigured); `Rejected` says this request or document will
never be taken.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json

from services.search.wire import Unavailable, Wire

KEY = "key"
# Whoever wants the number of things that answer asks for this facet: no search reaches all hits.
COUNTED = "listed"
# Filters have no way to write every backslash, so inside Meilisearch a letter of nobody's stands for it.
BACKSLASH = "\ue005"
_IN_JSON, _IN_ENGINE = b"\\\\", BACKSLASH.encode()
POLL_SECONDS = (0.004, 0.25)
POLL_SHARE = 0.05
AWAY_SECONDS = 0.5
# These say something about the server or its configuration, not about what we sent.
NOT_OUR_FAULT = {"index_not_found", "invalid_api_key", "missing_authorization_header", "task_not_found"}
Json = dict[str, Any]


class Rejected(Exception):  # noqa: N818 - says what it is
    """Meilisearch refuses what was sent, for good; `code` is Meilisearch's own word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}"[:500])
        self.code = code


class Missing(Unavailable):
    """The index or task that was asked about does not exist (any more)."""


class Engine:
    """One Meilisearch server."""

    def __init__(self, url: str, key: str = "") -> None:
        self._wire = Wire(url.rstrip("/"), key)

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
        raise _failure(answer if isinstance(answer, dict) else {"code": f"http_{status}"}, status)

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

    async def versions(self, index: str, keys: Sequence[str]) -> dict[str, int]:
        """The version each of these documents has; unknown ones are left out."""
        query = {"ids": keys, "fields": [KEY, "version"], "limit": len(keys)}
        found = await self.call("POST", f"/indexes/{index}/documents/fetch", query)
        return {one[KEY]: one["version"] for one in found["results"]}

    async def wait(self, task: int) -> None:
        """Until the task succeeded, however long Meilisearch is away meanwhile.

        Raises Rejected when it failed over what was sent, and Unavailable when it is to be done again.
        """
        begun = asyncio.get_running_loop().time()
        while (found := await self._task(task))["status"] in ("enqueued", "processing"):
            waited = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(min(max(POLL_SECONDS[0], waited * POLL_SHARE), POLL_SECONDS[1]))
        if found["status"] != "succeeded":
            raise _failure(found.get("error") or {"code": found["status"]}, 0)

    async def _task(self, task: int) -> Json:
        while True:
            try:
                found: Json = await self.call("GET", f"/tasks/{task}")
            except Missing:
                raise
            except Unavailable:
                await asyncio.sleep(AWAY_SECONDS)
            else:
                return found

    async def do(self, method: str, path: str, body: Any = None) -> None:
        """A call whose effect is a task, and its success."""
        await self.wait(int((await self.call(method, path, body))["taskUid"]))

    async def indexes(self, prefix: str) -> list[str]:
        """The indexes whose names begin so."""
        found = await self.call("GET", "/indexes?limit=1000")
        return [one["uid"] for one in found["results"] if one["uid"].startswith(prefix)]

    async def close(self) -> None:
        """Drop the connections."""
        await self._wire.close()


def total(answer: Json) -> int:
    """How many things answer, also beyond those that an answer reaches."""
    return int(answer.get("facetDistribution", {}).get(COUNTED, {}).get("true", 0))


def _failure(error: Json, status: int) -> Exception:
    code, message = str(error.get("code")), str(error.get("message"))
    if code in ("index_not_found", "task_not_found"):
        return Missing(message)
    ours = error.get("type") == "invalid_request" or status == 413
    if not ours or code in NOT_OUR_FAULT or status in (401, 403, 408, 429):
        return Unavailable(f"{code}: {message}"[:500])
    return Rejected(code, message)
