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
MAX_SUBJECT = 200
# An access token says that it is one (RFC 9068); Keycloak's calls itself a JWT and says so within.
ACCESS, KEYCLOAKS = ("at+jwt", "application/at+jwt"), "Bearer"

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
        return principal_of(claims, self._settings.oidc_roles_claim)

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            found = jwt.decode(token, self._keys.newest(FRESH_SECONDS), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The issuer may have changed its keys since they were read.
            found = jwt.decode(token, self._keys.newest(keys.RETRY_SECONDS), algorithms=ALGORITHMS)
        kind = str(found.header.get("typ", "JWT")).lower()
        if kind not in ACCESS and not (kind == "jwt" and found.claims.get("typ") == KEYCLOAKS):
            raise ValueError("it is no access token")
        return found.claims


def principal_of(claims: dict[str, Any], roles_claim: str) -> Principal:
    """Whom the claims of a valid token speak of. Organisations count for who has the role to act for them."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise Unauthenticated(f"The access token's sub must be a text of at most {MAX_SUBJECT} characters.")
    roles = frozenset(_strings(_at(claims, roles_claim)))
    providers = _strings(claims.get("providers")) if "provider" in roles else []
    return Principal(subject, roles, frozenset(providers))


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
    caller: Principal = state.enrich_principal(state.kit, state.verifier.principal(credentials.credentials))
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
