"""Recipients' proofs: that notify gave an id out to whoever calls. An id enters at notify, a token leaves; others check it.

A proof is a JWT (RFC 7519) signed with Ed25519 (RFC 8037): only notify, which knows the address behind the id, can
make one; everybody else reads notify's public key and needs no call to check it.
"""

import json
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, Header, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from libs.httpkit.auth import Anyone
from libs.httpkit.keys import RETRY_SECONDS, IssuerKeys
from libs.servicekit.errors import Unauthenticated
from libs.servicekit.principal import Principal
from libs.servicekit.secret import derived_key, secret, written
from libs.servicekit.settings import Settings
from libs.servicekit.values import CleanStr

ALGORITHM = "Ed25519"
USE = "recipient"
FRESH_SECONDS = 300.0
_CLAIMS = jwt.JWTClaimsRegistry(
    use={"essential": True, "value": USE}, sub={"essential": True}, exp={"essential": True}
)


def issue(settings: Settings, recipient_id: str, until: datetime, person: str | None = None) -> str:
    """The proof of a recipient id for whoever registered it; good until an instant. `person` is the same for the same
    address, whatever ids it has, and tells nothing else."""
    key = _signing_key(settings)
    header = {"alg": ALGORITHM, "typ": "JWT", "kid": key.kid}
    claims = {"use": USE, "sub": recipient_id, "exp": int(until.timestamp())}
    if person:
        claims["person"] = person
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def public_keys(settings: Settings) -> dict[str, Any]:
    """The key set (RFC 7517) with which everybody else checks proofs."""
    return {"keys": [_signing_key(settings).as_dict(private=False)]}


def publish_keys(settings: Settings) -> None:
    """Lay the key set where the services of the same home look for it, for notify's start; idempotent. Where notify was
    given its key, the others are told by COBURG_RECIPIENT_JWKS where to ask."""
    if settings.own.recipient_key:
        return
    path, content = settings.home / "keys" / "recipients.jwks.json", json.dumps(public_keys(settings))
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written(path, content).replace(path)


def check(settings: Settings, recipient_id: str, token: str | None) -> str:
    """Who is behind an id, for counting; Unauthenticated unless the token proves it. Where proofs are off, every id counts
    and is a person of its own."""
    if settings.recipient_proof == "off":
        return recipient_id
    if token is None:
        raise Unauthenticated(
            "This needs the Recipient-Token that came with the recipient id.", code="recipient-unproven"
        )
    claims = _read(_issuer_keys(settings.recipient_keys), token)
    if claims["sub"] != recipient_id:
        raise Unauthenticated(
            "The Recipient-Token is not that of this recipient id.", code="recipient-unproven"
        )
    return str(claims.get("person") or recipient_id)


def check_own(settings: Settings, recipient_id: str, token: str | None) -> None:
    """For notify itself, which always asks for the token and needs nobody's key set; Problem 401 unless it proves this id."""
    if holder(settings, token) != recipient_id:
        raise Unauthenticated("The token is not that of this recipient id.")


def holder(settings: Settings, token: str | None) -> str:
    """For notify itself: the recipient id that a token proves; Unauthenticated when it proves none."""
    if token is None:
        raise Unauthenticated("This needs the token that came with the recipient id.")
    try:
        claims = jwt.decode(token, _signing_key(settings), algorithms=[ALGORITHM]).claims
        _CLAIMS.validate(claims)
    except (JoseError, ValueError):
        raise Unauthenticated("The token is not valid, or no longer.") from None
    return str(claims["sub"])


class Proof:
    """What a caller shows for a recipient id."""

    def __init__(self, settings: Settings, caller: Principal | None, token: str | None) -> None:
        self._settings, self._caller, self._token = settings, caller, token

    def check(self, recipient_id: str) -> str:
        """Who is behind the id, for counting; Unauthenticated unless it is the caller's. An editor answers for whom he
        names and may leave the token out."""
        if self._token is None and self._caller is not None and self._caller.is_any("editor"):
            return recipient_id
        return check(self._settings, recipient_id, self._token)


def _proof(
    request: Request,
    caller: Anyone,
    token: Annotated[
        CleanStr | None,
        Header(
            alias="Recipient-Token",
            max_length=600,
            description="The proof that notify gave out with the recipient id; editors may leave it out.",
        ),
    ] = None,
) -> Proof:
    return Proof(request.app.state.kit.settings, caller, token)


Proven = Annotated[Proof, Depends(_proof)]


def _read(keys: IssuerKeys, token: str) -> dict[str, Any]:
    for max_age in (FRESH_SECONDS, RETRY_SECONDS):  # notify may have a new key since they were read
        try:
            claims = jwt.decode(token, keys.newest(max_age), algorithms=[ALGORITHM]).claims
            _CLAIMS.validate(claims)
        except (JoseError, ValueError):
            continue
        return claims
    raise Unauthenticated("The Recipient-Token is not valid, or no longer.", code="recipient-unproven")


@lru_cache(maxsize=4)
def _issuer_keys(where: str) -> IssuerKeys:
    return IssuerKeys(where)


def _signing_key(settings: Settings) -> OKPKey:
    return _derived(settings.own.recipient_key or secret(settings.home / "keys" / "recipients"))


@lru_cache(maxsize=4)
def _derived(text: str) -> OKPKey:
    # Any long random text is a key, so that one line can fill every secret of .env.
    if len(text) < 32:
        raise ValueError("the key of recipients' proofs needs at least 32 characters")
    seed = derived_key(text, b"coburg recipients")
    made = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(seed), {"use": "sig"})
    made.ensure_kid()
    return made
