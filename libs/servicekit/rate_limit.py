"""A rate limit: how often something may be done under one key. Each process counts for itself, in memory."""

import math
import time

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from libs.servicekit.errors import TooMany


class RateLimit:
    """So often for each key, in the notation of `limits`, such as `60/minute`; an empty limit is none."""

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit) if limit else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def hit(self, *key: str, cost: int = 1) -> None:
        """Count once more, or as often as it costs; raises TooMany beyond the limit."""
        if self._limit is None:
            return
        if await self._limiter.hit(self._limit, *key, cost=min(cost, self._limit.amount)):
            return
        again = (await self._limiter.get_window_stats(self._limit, *key)).reset_time
        wait = max(1, math.ceil(again - time.time()))
        raise TooMany(f"At most {self._limit}.", retry_after=wait, limit=self._limit)
