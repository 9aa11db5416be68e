"""Signed links: whoever holds one may do one thing with one thing, without an account. A thing's id enters, a token leaves.

A token is a JWT (RFC 7519) signed with HMAC-SHA-256 that names its use, its thing and its end; none is kept, so what it
opens ends with the thing's row. It stays below 200 characters and fits a fact of `MessageRequested`.
"""

from datetime import datetime
from functools import lru_cache

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from libs.servicekit.errors import Unauthenticated
from libs.servicekit.secret import secret
from libs.servicekit.settings import Settings

ALGORITHM = "HS256"


class Links:
    """Makes and reads tokens. `key` is any text of at least 32 characters."""

    def __init__(self, key: str) -> None:
        if len(key) < 32:
            raise ValueError("the key of signed links needs at least 32 characters")
        self._key = OctKey.import_key(key)
        self._claims = jwt.JWTClaimsRegistry(
            use={"essential": True}, sub={"essential": True}, exp={"essential": True}
        )

    def sign(self, use: str, thing_id: str, until: datetime) -> str:
        """A token that opens one use of one thing until an instant."""
        claims = {"use": use, "sub": thing_id, "exp": int(until.timestamp())}
        return jwt.encode({"alg": ALGORITHM}, claims, self._key)

    def read(self, use: str, token: str | None) -> str:
        """The id of the thing that a token opens for this use; Unauthenticated when it opens nothing, or no longer."""
        if token is None:
            raise Unauthenticated("This needs the token of a signed link.")
        try:
            claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
            self._claims.validate(claims)
        except (JoseError, ValueError):
            raise Unauthenticated("The link is not valid, or no longer.", code="link-expired") from None
        if claims["use"] != use:
            raise Unauthenticated("The link is for something else.", code="wrong-link")
        return str(claims["sub"])


def links_of(settings: Settings) -> Links:
    """The service's links: its key is COBURG_<SERVICE>_LINK_KEY, else a file under the home, made on first use."""
    return _links(settings.own.link_key or secret(settings.home / "keys" / f"{settings.service}-links"))


@lru_cache(maxsize=4)
def _links(key: str) -> Links:
    return Links(key)
