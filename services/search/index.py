"""The index of cards: changes enter, and are in Meilisearch when `write` returns.

A version guard makes writing idempotent and independent of order. While the index is built anew there are two
targets, and every change goes to both, so that they can be swapped at any moment (ADR 0006).
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import uuid4

import structlog

from libs.cardquery.vocabulary import Vocabulary
from services.search import schema
from services.search.domain import Change
from services.search.engine import COUNTED, KEY, Engine, total
from services.search.failures import Missing, Rejected, Unavailable
from services.search.target import PendingTask, Refused, Target, misplaced

AGAIN_SECONDS = 1.0
GUARD_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Index:
    """The served index `name`, and the one that is being built to replace it, if any."""

    def __init__(self, engine: Engine, name: str, vocabulary: Vocabulary) -> None:
        self.engine, self.name = engine, name
        self._administration = engine.administration
        self._vocabulary = vocabulary
        self._targets = [Target(name)]
        self._lifts: dict[str, float] = {}
        # A change is handed to all targets at once or not yet, also as seen by a swap.
        self._order = asyncio.Lock()

    async def ensure(self) -> bool:
        """Have an index that can be written and asked, and remove what a killed rebuild left.

        Returns whether its things are missing or were written by another release. Raises Unavailable.
        """
        self._targets = [Target(self.name)]
        for leftover in await self._administration.indexes(f"{self.name}_"):
            await self._administration.delete_index(leftover)
        if self.name not in await self._administration.indexes(self.name):
            await self._create(self.name)
            return True
        if schema.has_our_shape(await self._administration.settings(self.name)):
            return False
        await self._shape(self.name)
        return True

    async def _create(self, uid: str) -> None:
        await self._administration.create_index(uid, KEY)
        await self._shape(uid)

    async def _shape(self, uid: str) -> None:
        await self._administration.change_settings(uid, schema.settings(self._vocabulary))

    async def guard(self) -> None:
        """Look after the served index while nobody writes: raises Missing once it is gone or lost its shape."""
        while True:
            await asyncio.sleep(GUARD_SECONDS)
            try:
                found = await self._administration.settings(self.name)
            except Missing:
                raise
            except Unavailable:
                continue  # away is not empty
            if not schema.has_our_shape(found):
                raise Missing(f"{self.name} is not the index that we made")

    async def learn(self) -> None:
        """Bring the settings of the served index to what the town's words ask for. Raises Unavailable.

        New synonyms make Meilisearch index everything anew: nobody should wait for it.
        """
        wanted = schema.settings(self._vocabulary)
        current = await self._administration.settings(self.name)
        if not schema.is_current(wanted, current):
            log.info("index settings change", index=self.name)
            await self._administration.change_settings(self.name, wanted)

    async def write(self, changes: Sequence[Change], only: Target | None = None) -> list[Refused]:
        """Bring the changes into all targets (or `only` one), waiting for Meilisearch as long as it takes.

        Changes must be of different things. Returns those that Meilisearch will never take; raises Missing when the
        index is gone.
        """
        async with self._order:
            tasks = [await self._enqueue(target, changes) for target in ([only] if only else self._targets)]
        refused = [await self._await_task(pending) for pending in tasks]
        return [one for some in refused for one in some]

    async def _enqueue(self, target: Target, changes: Sequence[Change]) -> PendingTask:
        while True:
            fresh: list[Change] = []
            try:
                fresh = await target.newer(self.engine, changes)
                if not fresh:
                    return PendingTask(target, fresh, 0)
                target.task = await self.engine.put(target.uid, [one.ranked(self._lifts) for one in fresh])
                return PendingTask(target, fresh, target.task)
            except Rejected as refusal:
                return PendingTask(target, fresh, refusal)
            except Missing:
                raise
            except Unavailable as error:
                target.forget(fresh)
                log.warning("index waits for Meilisearch", error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)

    async def _await_task(self, pending: PendingTask) -> list[Refused]:
        if not pending.changes:
            return []
        try:
            if isinstance(pending.task, Rejected):
                raise pending.task
            await self._administration.wait(pending.task)
        except Rejected as refusal:
            return await self._search_culprit(pending, refusal)
        except Unavailable as error:
            log.warning("index task is done again", error=str(error))
            await asyncio.sleep(AGAIN_SECONDS)
            return await self._again(pending.target, pending.changes)
        return []

    async def _search_culprit(self, pending: PendingTask, refusal: Rejected) -> list[Refused]:
        """Meilisearch refuses a whole task for one document: halve it until that one stands alone."""
        changes = pending.changes
        pending.target.forget(changes)
        if len(changes) == 1:
            return [Refused(changes[0].key, refusal)]
        middle = len(changes) // 2
        return await self._again(pending.target, changes[:middle]) + await self._again(
            pending.target, changes[middle:]
        )

    async def _again(self, target: Target, changes: list[Change]) -> list[Refused]:
        target.forget(changes)
        async with self._order:
            if target not in self._targets:  # replaced meanwhile
                return []
            pending = await self._enqueue(target, changes)
        return await self._await_task(pending)

    async def lift(self, lifts: Mapping[str, float]) -> None:
        """Rank all things by these factors of fields of action, now and from now on; waits for Meilisearch."""
        async with self._order:
            self._lifts = dict(lifts)
            targets = list(self._targets)
        for target in targets:
            await self._rank(target)

    async def _rank(self, target: Target) -> None:
        while target in self._targets:
            try:
                # What is looked up must not change before the new ranks stand in line.
                async with self._order:
                    found = await misplaced(self.engine, target, self._lifts)
                    if not found:
                        return
                    target.task = task = await self.engine.update(target.uid, found)
                await self._administration.wait(task)
                log.info("things are ranked anew", index=target.uid, things=len(found))
            except Missing:
                raise
            except Unavailable as error:
                log.warning("ranking waits for Meilisearch", error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def begin_rebuild(self) -> Target:
        """An empty index beside the served one, which from now on receives every change too."""
        target = Target(f"{self.name}_{uuid4().hex}")
        await self._create(target.uid)
        async with self._order:
            self._targets.append(target)
        return target

    async def swap(self, rebuilt: Target) -> None:
        """Serve the rebuilt index instead of the present one, which is deleted. No reader notices the moment."""
        served = self._targets[0]
        # No change may be enqueued between the two names' exchange here and there.
        async with self._order:
            await self._administration.swap(served.uid, rebuilt.uid)
            served.uid, rebuilt.uid = rebuilt.uid, served.uid
            self._targets = [rebuilt]
        await self._administration.delete_index(served.uid)

    async def give_up(self, rebuilt: Target) -> None:
        """Forget a rebuild that failed; its index is removed now or at the next start."""
        async with self._order:
            self._targets = [target for target in self._targets if target is not rebuilt]
        if rebuilt.uid != self.name:
            await self._administration.delete_index(rebuilt.uid, wait=False)

    async def knows_synonyms(self) -> bool:
        """Whether the served index has learned what `learn` brings; raises Unavailable."""
        known = await self._administration.settings(self.name)
        return bool(known["synonyms"]) or not self._vocabulary.equal

    async def documents(self) -> int:
        """How many things can be found; raises Unavailable."""
        query = {"filter": "listed = true", "hitsPerPage": 0, "page": 1, "facets": [COUNTED]}
        return total(await self.engine.search(self.name, query))
