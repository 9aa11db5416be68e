"""Feeds that were made lately: a question enters, the answer's bytes and its tag leave, made once for all who ask the same.

One holds as long as nothing changed, and at most a minute: what is past or full changes by the clock alone.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

MOST = 64
MOST_BYTES = 32 * 1024 * 1024
GOOD_SECONDS = 60.0


class Made(NamedTuple):
    """An answer. `marker` is the state of things that it was made of, `at` when (monotonic)."""

    body: bytes
    tag: str
    marker: Any
    at: float


class Bodies:
    """Keeps the answers that were asked for last."""

    def __init__(
        self, most: int = MOST, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._most_bytes, self._clock = most, most_bytes, clock
        self._kept: OrderedDict[str, Made] = OrderedDict()
        self._bytes, self._lock = 0, Lock()
        self._marker: Any = None
        self._changed = datetime(1970, 1, 1, tzinfo=UTC)

    def of(self, question: str, marker: Any, make: Callable[[], bytes]) -> Made:
        """The answer to a question while things are as `marker` says."""
        with self._lock:
            known = self._kept.get(question)
            if known and known.marker == marker and self._clock() - known.at < GOOD_SECONDS:
                self._kept.move_to_end(question)
                return known
        body = make()
        made = Made(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', marker, self._clock())
        with self._lock:
            self._keep(question, made)
        return made

    def _keep(self, question: str, made: Made) -> None:
        if old := self._kept.pop(question, None):
            self._bytes -= len(old.body)
        self._kept[question] = made
        self._bytes += len(made.body)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)

    def changed(self, marker: Any) -> datetime:
        """Since when things are as `marker` says, as far as this process knows: whole seconds, each change one of its own."""
        with self._lock:
            if marker != self._marker:
                now = datetime.now(UTC).replace(microsecond=0)
                self._marker, self._changed = marker, max(now, self._changed + timedelta(seconds=1))
            return self._changed
