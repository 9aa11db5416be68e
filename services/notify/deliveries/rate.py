"""How many mails a receiving domain gets in a while, so that its server does not take us for a flood.

A domain and a delivery enter, the seconds until it is that delivery's turn leave. Each keeps the turn it was given: a
long queue is asked once, not again and again.
"""

import time
from collections import defaultdict, deque
from functools import partial

from limits import parse

MOST_KEPT = 100_000


class PerDomain:
    """So many for each domain, in the notation of `limits`, which any window of that length keeps to."""

    def __init__(self, limit: str) -> None:
        parsed = parse(limit) if limit else None
        self._amount, self._period = (parsed.amount, parsed.get_expiry()) if parsed else (0, 0)
        self._last: dict[str, deque[float]] = defaultdict(partial(deque[float], maxlen=self._amount or 1))
        self._turns: dict[str, float] = {}

    def wait(self, domain: str, delivery_id: str) -> float:
        """Seconds until its turn; 0 when it may go."""
        if not self._amount:
            return 0.0
        now = time.monotonic()
        # A turn that passed unused, because the server was away, is no right to come with all others at once.
        if self._turns.get(delivery_id, 0.0) < now - self._period:
            self._turns[delivery_id] = self._next(self._last[domain], now)
            self._forget(now)
        return max(0.0, self._turns[delivery_id] - now)

    def done(self, delivery_id: str) -> None:
        """It had its turn."""
        self._turns.pop(delivery_id, None)

    def _next(self, last: deque[float], now: float) -> float:
        turn = max(now, last[0] + self._period) if len(last) == self._amount else now
        last.append(turn)
        return turn

    def _forget(self, now: float) -> None:
        # Of deliveries that were erased meanwhile; whose turn has passed may ask anew.
        if len(self._turns) > MOST_KEPT:
            self._turns = {each: turn for each, turn in self._turns.items() if turn > now}
