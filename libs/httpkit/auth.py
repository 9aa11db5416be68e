"""Who calls: OIDC access tokens (JWT, RFC 9068), verified against the issuer's published keys (JWKS)."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

import httpx2
import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from libs.httpkit.problems import Problem, unavailable
from libs.servicekit.settings import Settings

ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]
KEYS_FRESH_SECONDS = 300.0
KEYS_RETRY_SECONDS = 5.0
LEEWAY_SECONDS = 30
# The issuer is away, or what it answers is no key set.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, JoseError, httpx2.HTTPError)

ROLES = ("editor", "caretaker", "agenda", "provider", "merchant", "operator", "partner")

log = structlog.get_logger(__name__)
_bearer = HTTPBearer(auto_error=False, description="OIDC access token")


@dataclass(frozen=True)
class Principal:
    """The caller. `providers` are the organisations a provider's token may act for."""

    subject: str
    roles: frozenset[str]
    providers: frozenset[str] = frozenset()

    def is_any(self, *roles: str) -> bool:
        """Whether the caller has one of the roles."""
        return not self.roles.isdisjoint(roles)


class Verifier:
    """Checks tokens; keeps the issuer's keys and reads them anew when they age or an unknown key id turns up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: KeySet | None = None
        self._read_at = self._tried_at = -KEYS_FRESH_SECONDS
        self._lock = Lock()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def principal(self, token: str) -> Principal:
        """The caller a token speaks of; raises Problem 401, or 503 while the keys cannot be had."""
        try:
            claims = self._decode(token)
            self._claims.validate(claims)
        except (JoseError, ValueError) as error:
            raise unauthorised(f"The access token is not valid: {error}.") from None
        return Principal(
            subject=str(claims["sub"])[:200],
            roles=frozenset(_strings(_at(claims, self._settings.oidc_roles_claim))),
            providers=frozenset(_strings(claims.get("providers"))),
        )

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self._key_set(KEYS_FRESH_SECONDS), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            # The issuer may have changed its keys since they were read.
            keys = self._key_set(KEYS_RETRY_SECONDS)
            return jwt.decode(token, keys, algorithms=ALGORITHMS).claims

    def _key_set(self, max_age: float) -> KeySet:
        with self._lock:
            if self._keys is None or time.monotonic() - self._read_at > max_age:
                self._keys = self._newest_keys()
                self._read_at = time.monotonic()
            return self._keys

    def _newest_keys(self) -> KeySet:
        if self._keys is None and time.monotonic() - self._tried_at < KEYS_RETRY_SECONDS:
            raise unavailable("The issuer's keys")  # nobody waits in line for an issuer that hangs
        try:
            return _read_keys(self._settings.jwks)
        except UNREADABLE as error:
            log.warning("the issuer's keys cannot be read", error=repr(error)[:200])
            self._tried_at = time.monotonic()
            if self._keys is None:
                raise unavailable("The issuer's keys") from error
            return self._keys  # an issuer that is away for a while takes nobody's token from them


def _read_keys(where: str) -> KeySet:
    if where.startswith(("http://", "https://")):
        found = httpx2.get(where, timeout=5).raise_for_status().json()
    else:
        found = json.loads(Path(where).read_text(encoding="utf-8"))
    return KeySet.import_key_set(found)


def _at(claims: dict[str, Any], path: str) -> Any:
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def unauthorised(detail: str) -> Problem:
    """401, asking for a token."""
    return Problem(401, "Unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})


def _caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal | None:
    if credentials is None:
        return None
    kit = request.app.state.kit
    caller: Principal = kit.recognise(kit, kit.verifier.principal(credentials.credentials))
    return caller


Anyone = Annotated[Principal | None, Depends(_caller)]


def require(*roles: str) -> Any:
    """A dependency: the caller, who must have one of the roles; 401 without a token, 403 without the role."""

    def check(caller: Anyone) -> Principal:
        if caller is None:
            raise unauthorised("This needs an access token.")
        if not caller.is_any(*roles):
            raise Problem(403, "Forbidden", f"This needs one of the roles: {', '.join(roles)}.")
        return caller

    check.roles = roles  # type: ignore[attr-defined] # the authorisation table in the tests reads it
    return Depends(check)
