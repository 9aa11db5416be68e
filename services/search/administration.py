"""Meilisearch's administration by its own client: indexes, settings, tasks, keys and tokens. Searching and adding
documents go over a wire of our own (ADR 52).

The client waits in a thread, one call at a time: it keeps headers between calls.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from meilisearch import Client
from meilisearch.errors import MeilisearchApiError, MeilisearchError
from meilisearch.models.task import Task, TaskInfo
from requests import RequestException

from services.search.failures import Json, Missing, Rejected, Unavailable, failure

ANSWER_SECONDS = 10
POLL_SECONDS = (0.004, 0.25)
POLL_SHARE = 0.05
AWAY_SECONDS = 0.5
ALL_INDEXES = 1000

T = TypeVar("T")


class Administration:
    """One Meilisearch server, as its administrator sees it; every method raises Unavailable or Rejected."""

    def __init__(self, url: str, key: str = "") -> None:
        self._client = Client(url, key or None, timeout=ANSWER_SECONDS)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="administration")

    async def _ask(self, work: Callable[[Client], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._client)
        except MeilisearchApiError as error:
            told = {"code": error.code or f"http_{error.status_code}", "message": error.message}
            raise failure(told | {"type": error.type}, error.status_code) from None
        except (MeilisearchError, RequestException) as error:
            raise Unavailable(str(error)[:500]) from None

    async def _do(self, work: Callable[[Client], TaskInfo]) -> None:
        """A call whose effect is a task, and its success."""
        await self.wait((await self._ask(work)).task_uid)

    async def create_index(self, uid: str, key: str) -> None:
        """An empty index whose documents are known by `key`."""
        await self._do(lambda client: client.create_index(uid, {"primaryKey": key}))

    async def delete_index(self, uid: str, *, wait: bool = True) -> None:
        """Gone with everything in it; now, or by and by."""
        asked = await self._ask(lambda client: client.delete_index(uid))
        if wait:
            await self.wait(asked.task_uid)

    async def swap(self, one: str, other: str) -> None:
        """Exchange the names of two indexes, in one moment."""
        await self._do(lambda client: client.swap_indexes([{"indexes": [one, other]}]))

    async def indexes(self, prefix: str) -> list[str]:
        """The indexes whose names begin so."""
        found = await self._ask(lambda client: client.get_indexes({"limit": ALL_INDEXES}))
        return [one.uid for one in found["results"] if one.uid.startswith(prefix)]

    async def settings(self, uid: str) -> Json:
        """All settings of an index."""
        return await self._ask(lambda client: client.index(uid).get_settings())

    async def change_settings(self, uid: str, settings: Json) -> None:
        """Change these settings of an index; waits until everything in it follows them."""
        await self._do(lambda client: client.index(uid).update_settings(settings))

    async def wait(self, task: int) -> None:
        """Until the task succeeded, however long Meilisearch is away meanwhile.

        Raises Rejected when it failed over what was sent, and Unavailable when it is to be done again.
        """
        begun = asyncio.get_running_loop().time()
        while (found := await self._task(task)).status in ("enqueued", "processing"):
            waited = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(min(max(POLL_SECONDS[0], waited * POLL_SHARE), POLL_SECONDS[1]))
        if found.status != "succeeded":
            raise failure(found.error or {"code": found.status}, 0)

    async def _task(self, task: int) -> Task:
        while True:
            try:
                return await self._ask(lambda client: client.get_task(task))
            except Missing:
                raise
            except Unavailable:
                await asyncio.sleep(AWAY_SECONDS)

    async def key(self, wanted: Json) -> str:
        """The key of this uid, made by whichever process asks first."""
        try:
            made = await self._ask(lambda client: client.create_key(wanted))
        except Rejected as refusal:
            if refusal.code != "api_key_already_exists":
                raise
            made = await self._ask(lambda client: client.get_key(wanted["uid"]))
        return made.key

    def token(self, key_uid: str, key: str, rules: Json, expires: datetime) -> str:
        """A tenant token, signed with a key; asks nobody."""
        return self._client.generate_tenant_token(key_uid, rules, api_key=key, expires_at=expires)

    def close(self) -> None:
        """No more calls."""
        self._thread.shutdown(wait=False, cancel_futures=True)
