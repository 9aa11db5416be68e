"""Keys of an embedded stack, made on first use and readable by their owner only, and tokens signed with them."""

import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.errors import Trouble
from cli.home import Home

ROLES = ("editor", "caretaker", "agenda", "provider", "merchant", "operator", "partner")


def ensure(home: Home) -> None:
    """Makes the signing key and publishes its public half as a key set."""
    from joserfc.jwk import ECKey

    key = ECKey.import_key(json.loads(signing_key(home)))
    public = json.dumps({"keys": [key.as_dict(private=False)]}, indent=2)
    if not (jwks := home.keys / "jwks.json").exists():
        temporary = home.keys / f"jwks.{os.getpid()}.new"
        temporary.write_text(public + "\n")
        temporary.replace(jwks)


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


def secret(path: Path, make: Callable[[], str]) -> str:
    """The content of a file for its owner only; made once, even if two processes try at the same time."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        link_once(temporary, path)
    return path.read_text().strip()


def link_once(temporary: Path, path: Path) -> None:
    """Gives a finished file its name unless somebody was faster."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
