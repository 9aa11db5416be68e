"""The parts of search as one: what answers, and the job that keeps the index current."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

import structlog

from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.topology import SEARCH
from libs.servicekit.kit import Kit
from libs.servicekit.secret import secret
from libs.servicekit.settings import Settings
from libs.town import calendar as town
from services.search import status
from services.search.announce import Announcer
from services.search.config import SearchSettings
from services.search.consumers import Indexer
from services.search.declared import Declared
from services.search.engine import Engine
from services.search.failures import Unavailable
from services.search.feedback import Feedback
from services.search.index import Index
from services.search.opensearch import description
from services.search.priorities import Priorities
from services.search.queries import Queries
from services.search.reindex import Reindex
from services.search.tenant import Tenants
from services.search.unanswered import Unanswered
from services.search.words import TownWords

KEY_FILE = "search-askers"

log = structlog.get_logger(__name__)
T = TypeVar("T")


class Search:
    """`queries` answers in every process; the rest is busy only where `indexing` is on, one process of all."""

    def __init__(self, own: SearchSettings, settings: Settings) -> None:
        engine = Engine(own.meilisearch_url, own.meilisearch_key)
        self.close = engine.close
        self.indexing = own.search_indexing
        self._prepared = not self.indexing
        self._calendar = town.read(settings.city)
        words = Vocabulary.of(settings.city)
        self.queries = Queries(engine, own.search_index, self._calendar, words.silent)
        self.declared = Declared(engine, own.search_index, words.filters, settings.town.get("districts", []))
        self.tenants = Tenants(
            engine.administration, own.search_index, own.meilisearch_public_url, own.search_token_seconds
        )
        announcer = Announcer(settings)
        self.feedback = Feedback(engine, own.search_index, announcer, own.search_feedback_limit)
        self.unanswered = Unanswered(
            announcer,
            self._town_words,
            lambda: datetime.now(self._calendar.zone).date(),
            lambda: own.search_asker_key or secret(settings.home / "keys" / KEY_FILE),
        )
        self.describe = partial(description, settings.town["name"], settings.public_url, own.search_page)
        self._equal = words.equal
        self.index = Index(engine, own.search_index, words)
        self.reindex = Reindex(self.index, self._calendar)
        self.priorities = Priorities(self.index)

    async def _town_words(self) -> TownWords:
        return TownWords(self._equal, await self.declared.boards(), await self.queries.town_words())

    async def missing(self) -> str | None:
        """What is missing for answering, if anything."""
        return await self.queries.missing() or (None if self._prepared else "index")

    async def keep_current(self, kit: Kit) -> None:
        """Index what the bus delivers and rebuild when asked to, until cancelled."""
        new = await _once_available(self.index.ensure)
        self._prepared = True
        if new and await status.acknowledged(kit.bus.js):
            # A new or outdated index beside a bus that thinks we know its events: they are in STATE only.
            self.reindex.ask()
        await self.priorities.recall(kit.bus.js)
        async with asyncio.TaskGroup() as group:
            for durable in SEARCH.durables:
                group.create_task(
                    Indexer(kit.bus, self.index, self.priorities, self._calendar, durable).run()
                )
            group.create_task(self.index.guard())
            group.create_task(self.priorities.watch())
            group.create_task(_once_available(self.index.learn))
            group.create_task(self.reindex.serve(kit.bus.js))
            group.create_task(status.observe(kit.bus.js, self.index))


async def _once_available(work: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await work()
        except Unavailable as error:
            log.warning("Meilisearch not ready", error=str(error))
            await asyncio.sleep(1)
