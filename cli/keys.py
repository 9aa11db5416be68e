"""Keys of an embedded stack, made on first use and readable by their owner only, and tokens signed with them."""

import json
import secrets
import time
from collections.abc import Sequence

from cli.errors import Trouble
from cli.home import Home
from libs.servicekit.secret import secret, written

ROLES = ("editor", "caretaker", "agenda", "provider", "merchant", "operator", "partner")


def ensure(home: Home) -> None:
    """Makes the signing key and publishes its public half as a key set."""
    from joserfc.jwk import ECKey

    key = ECKey.import_key(json.loads(signing_key(home)))
    public, jwks = json.dumps({"keys": [key.as_dict(private=False)]}, indent=2), home.keys / "jwks.json"
    if not jwks.exists() or jwks.read_text() != public:
        written(jwks, public).replace(jwks)


def signing_key(home: Home) -> str:
    """The private key that signs this home's tokens, as a JWK."""
    return secret(home.keys / "signing.json", new_signing_key)


def meilisearch_key(home: Home) -> str:
    """The master key of this home's Meilisearch."""
    return secret(home.keys / "meilisearch", lambda: secrets.token_urlsafe(32))


def new_signing_key() -> str:
    """A fresh P-256 key; its thumbprint is its id."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    return json.dumps(key.as_dict(private=True))


def token(
    home: Home, roles: Sequence[str], providers: Sequence[str] = (), hours: float = 12, subject: str = "local"
) -> str:
    """An access token as the services expect it from an identity provider."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise Trouble(f"There is no role {', '.join(unknown)}.", f"The roles are {', '.join(ROLES)}.")
    ensure(home)
    key = ECKey.import_key(json.loads(signing_key(home)))
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    return jwt.encode(header, claims(home, roles, providers, hours, subject), key)


def claims(
    home: Home, roles: Sequence[str], providers: Sequence[str], hours: float, subject: str
) -> dict[str, object]:
    """What the token says."""
    now = int(time.time())
    return {
        "iss": home.environ.get("COBURG_OIDC_ISSUER") or "https://coburg.local",
        "aud": home.environ.get("COBURG_OIDC_AUDIENCE") or "coburg",
        "sub": subject,
        "iat": now,
        "exp": now + int(hours * 3600),
        "roles": list(roles),
        "providers": list(providers),
    }
