"""How many mails a receiving domain gets in a while, so that its server does not take us for a flood."""

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter


class PerDomain:
    """So many for each domain, in the notation of `limits`; an empty limit is none."""

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit) if limit else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def may(self, domain: str) -> bool:
        """Count one more, or say that it is too early."""
        return self._limit is None or await self._limiter.hit(self._limit, domain)
