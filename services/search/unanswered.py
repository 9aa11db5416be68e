"""Searches that found nothing, told to the exchanges as needs: a query enters, words of the town's vocabulary leave.

A search only leaves a note in memory. A job tells the notes some moments later and forgets them: the town's words in
them, never the text. A flood of searches fills the notes, and what goes beyond is counted and dropped (ADR 0009).
"""

import asyncio
import hmac
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from datetime import date
from typing import NamedTuple

import structlog
from prometheus_client import Counter

from libs.cardquery.query import Query
from libs.contracts.search import QueryUnanswered
from libs.servicekit.kit import Kit
from libs.servicekit.outages import Transient
from services.search.announce import Announcer
from services.search.words import TownWords

EVERY_SECONDS = 2.0
NOTES, AT_ONCE = 200, 20
WORDS_SECONDS = 60.0
REMEMBERED = 10_000
# These filters are values of a vocabulary, not what somebody typed; others are looked up all the same.
PLACELESS = ("kind", "board")

UNANSWERED = Counter("search_unanswered", "Searches that found nothing", ["outcome"])
log = structlog.get_logger(__name__)


class Note(NamedTuple):
    """A search without a hit; lives for some moments in memory."""

    texts: tuple[str, ...]
    board: str | None
    lang: str
    client: str


def mark(key: str, day: date, client: str) -> str:
    """A client's name of 16 hexadecimal digits: the same in every process all day, another one the next day.

    Only who has the key can tell whose it is, or which marks of two days are one client's.
    """
    salt = hmac.digest(key.encode(), day.isoformat().encode(), "sha256")
    return hmac.digest(salt, client.encode(), "sha256").hex()[:16]


class Unanswered:
    """Takes notes and tells them; `read` brings the town's words, which boards and things change now and then, `key`
    what askers are marked with."""

    def __init__(
        self,
        announcer: Announcer,
        read: Callable[[], Awaitable[TownWords]],
        today: Callable[[], date],
        key: Callable[[], str],
    ) -> None:
        self._announcer, self._read, self._today, self._key = announcer, read, today, key
        self._notes: deque[Note] = deque()
        self._told: OrderedDict[tuple[str | list[str] | None, ...], None] = OrderedDict()
        self._words, self._read_at = TownWords(), -WORDS_SECONDS

    def note(self, query: Query, client: str) -> None:
        """Keep in mind that this found nothing; never waits and never fails."""
        if len(self._notes) >= NOTES:
            UNANSWERED.labels("dropped").inc()
            return
        values = [value for name, some in query.filters.items() if name not in PLACELESS for value in some]
        boards = query.filters.get("board", [])
        board = boards[0] if len(boards) == 1 else None
        self._notes.append(Note((query.q, *values), board, query.lang, client))

    async def keep_telling(self, kit: Kit) -> None:
        """Tell what is noted, a few at a time, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self._tell_some(kit)
            except Transient as error:  # what was noted meanwhile is not worth an outbox
                log.warning("unanswered searches are not told", error=str(error)[:200])
                UNANSWERED.labels("dropped").inc(len(self._notes))
                self._notes.clear()

    async def _tell_some(self, kit: Kit) -> None:
        if self._notes and time.monotonic() - self._read_at > WORDS_SECONDS:
            self._words, self._read_at = await self._read(), time.monotonic()
        for _ in range(min(len(self._notes), AT_ONCE)):
            note, key = self._notes.popleft(), self._key()
            words, asker = self._words.known(note.texts), mark(key, self._today(), note.client)
            new = bool(words) and self._is_new(asker, note.board, words)
            UNANSWERED.labels("told" if new else "untold").inc()
            if new:
                fact = QueryUnanswered(words=words, board=note.board, lang=note.lang, asker=asker)
                await self._announcer.publish(kit.bus, fact)

    def _is_new(self, asker: str, board: str | None, words: list[str]) -> bool:
        """Whether this asker has not asked for this yet today."""
        asked = (asker, board, *words)
        if asked in self._told:
            return False
        self._told[asked] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True
