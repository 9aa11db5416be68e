"""Short-lived tokens with which a front end asks Meilisearch itself and sees only what is public (ADR 0009).

They are signed with a key that may search this one index and nothing else, and carry the filter that every answer of
this service has, too. The key stays here; the master key signs nothing.
"""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from libs.servicekit.errors import NotFound
from services.search.administration import Administration
from services.search.failures import Json


class Tenants:
    """Gives out tokens for one index; `public_url` is where front ends reach Meilisearch, empty when they do not."""

    def __init__(self, administration: Administration, index: str, public_url: str, seconds: int) -> None:
        self._administration, self._index, self._seconds = administration, index, seconds
        self._url = public_url.rstrip("/")
        self._uid = _uid(index)
        self._key: str | None = None

    async def token(self) -> Json:
        """A token and where to use it; raises NotFound where there is no direct search, and Unavailable."""
        if not self._url:
            raise NotFound("direct search here; use GET /v1/search", code="no-direct-search")
        if self._key is None:
            self._key = await self._restricted()
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self._seconds)
        rules = {self._index: {"filter": "listed = true"}}
        return {
            "token": self._administration.token(str(self._uid), self._key, rules, expires),
            "expires_at": expires,
            "url": self._url,
            "index": self._index,
        }

    async def _restricted(self) -> str:
        """The key that may search the index and do nothing else; made by whichever process asks first."""
        wanted = {
            "uid": str(self._uid),
            "name": f"search {self._index}",
            "description": "Signs front ends' short-lived tokens; see ADR 0009.",
            "actions": ["search"],
            "indexes": [self._index],
            "expiresAt": None,
        }
        return await self._administration.key(wanted)


def _uid(index: str) -> UUID:
    """The same for the same index, so that every process and every start finds the one key."""
    return UUID(bytes=uuid5(NAMESPACE_URL, f"coburg-digital:search:{index}").bytes, version=4)
