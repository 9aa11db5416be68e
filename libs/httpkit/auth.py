"""Who calls: OIDC access tokens (JWT, RFC 9068), verified against the issuer's published keys (JWKS)."""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError

from libs.httpkit import keys
from libs.servicekit.errors import Forbidden, Unauthenticated
from libs.servicekit.principal import Principal
from libs.servicekit.settings import Settings

ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]
FRESH_SECONDS = 300.0
LEEWAY_SECONDS = 30

_bearer = HTTPBearer(auto_error=False, description="OIDC access token")


class Verifier:
    """Checks tokens; has the issuer's keys read anew when they age or an unknown key id turns up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = keys.IssuerKeys(settings.jwks)
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": settings.oidc_issuer},
            aud={"essential": True, "value": settings.oidc_audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def principal(self, token: str) -> Principal:
        """The caller a token speaks of; raises Unauthenticated, or Unavailable while the keys cannot be had."""
        try:
            claims = self._decode(token)
            self._claims.validate(claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated(f"The access token is not valid: {error}.") from None
        return Principal(
            subject=str(claims["sub"])[:200],
            roles=frozenset(_strings(_at(claims, self._settings.oidc_roles_claim))),
            providers=frozenset(_strings(claims.get("providers"))),
        )

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self._keys.newest(FRESH_SECONDS), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError):
            # The issuer may have changed its keys since they were read.
            return jwt.decode(token, self._keys.newest(keys.RETRY_SECONDS), algorithms=ALGORITHMS).claims


def _at(claims: dict[str, Any], path: str) -> Any:
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal | None:
    if credentials is None:
        return None
    state = request.app.state
    caller: Principal = state.recognise(state.kit, state.verifier.principal(credentials.credentials))
    return caller


Anyone = Annotated[Principal | None, Depends(_caller)]


def require(*roles: str) -> Any:
    """A dependency: the caller, who must have one of the roles; 401 without a token, 403 without the role."""

    def check(caller: Anyone) -> Principal:
        if caller is None:
            raise Unauthenticated("This needs an access token.")
        if not caller.is_any(*roles):
            needed = ", ".join(roles)
            raise Forbidden(f"This needs one of the roles: {needed}.", code="role-needed", roles=needed)
        return caller

    check.roles = roles  # type: ignore[attr-defined] # the authorisation table in the tests reads it
    return Depends(check)
