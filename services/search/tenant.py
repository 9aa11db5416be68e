"""Short-lived tokens with which a front end asks Meilisearch itself and sees only what is public (ADR 0009).

They are signed with a key that may search this one index and nothing else, and carry the filter that every answer of
this service has, too. The key stays here; the master key signs nothing.
"""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from joserfc import jwt
from joserfc.jwk import OctKey

from libs.servicekit.errors import NotFound
from services.search.engine import Engine, Json, Rejected


class Tenants:
    """Gives out tokens for one index; `public_url` is where front ends reach Meilisearch, empty when they do not."""

    def __init__(self, engine: Engine, index: str, public_url: str, seconds: int) -> None:
        self._engine, self._index, self._url, self._seconds = engine, index, public_url.rstrip("/"), seconds
        self._uid = _uid(index)
        self._key: OctKey | None = None

    async def token(self) -> Json:
        """A token and where to use it; raises NotFound where there is no direct search, and Unavailable."""
        if not self._url:
            raise NotFound("direct search here; use GET /v1/search", code="no-direct-search")
        if self._key is None:
            self._key = OctKey.import_key(await self._restricted())
        expires = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self._seconds)
        claims = {
            "searchRules": {self._index: {"filter": "listed = true"}},
            "apiKeyUid": str(self._uid),
            "exp": int(expires.timestamp()),
        }
        return {
            "token": jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, self._key),
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
        try:
            made = await self._engine.call("POST", "/keys", wanted)
        except Rejected as refusal:
            if refusal.code != "api_key_already_exists":
                raise
            made = await self._engine.call("GET", f"/keys/{self._uid}")
        return str(made["key"])


def _uid(index: str) -> UUID:
    """The same for the same index, so that every process and every start finds the one key."""
    return UUID(bytes=uuid5(NAMESPACE_URL, f"coburg-digital:search:{index}").bytes, version=4)
