"""Access tokens: only those that the issuer signed for us, now, count."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from libs.httpkit import auth
from libs.httpkit.auth import Verifier
from libs.httpkit.problems import headers_of, status_of
from libs.servicekit.errors import Unauthenticated
from libs.servicekit.principal import ROLES
from tests.servicekit.conftest import Probe, bearer, problem, settings

Key = ECKey | RSAKey | OKPKey


def new_key(kind: str = "ES256") -> Key:
    if kind == "RS256":
        return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    if kind == "EdDSA":
        return OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


KEY = new_key()


def jwks(*keys: Key) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def token(key: Key = KEY, alg: str = "ES256", kind: str | None = "at+jwt", **claims: Any) -> str:
    said = {
        "iss": "https://coburg.local",
        "aud": "coburg",
        "sub": "ada",
        "exp": int(time.time()) + 600,
        "roles": ["editor"],
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    header = {"alg": alg, "kid": key.kid} | ({"typ": kind} if kind else {})
    return jwt.encode(header, said, key, algorithms=[alg])


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    (tmp_path / "jwks.json").write_text(jwks(KEY))
    return Verifier(settings(oidc_jwks=str(tmp_path / "jwks.json")))


def refused(verifier: Verifier, credentials: str) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        verifier.principal(credentials)
    assert status_of(caught.value)[0] == 401
    assert headers_of(caught.value) == {"WWW-Authenticate": "Bearer"}
    return caught.value


def test_a_good_token_names_its_bearer(verifier: Verifier) -> None:
    found = verifier.principal(token(roles=["provider", 7, "editor"], providers=["p1", None]))
    assert found.subject == "ada"
    assert found.roles == {"provider", "editor"}
    assert found.providers == {"p1"}
    assert found.is_any("editor", "operator")
    assert not found.is_any("operator")


@pytest.mark.parametrize("kind", ["RS256", "EdDSA"])
def test_other_algorithms_of_issuers(kind: str, tmp_path: Path) -> None:
    key = new_key(kind)
    (tmp_path / "jwks.json").write_text(jwks(key))
    verifier = Verifier(settings(oidc_jwks=str(tmp_path / "jwks.json")))
    assert verifier.principal(token(key, kind)).subject == "ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - auth.LEEWAY_SECONDS - 5},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": int(time.time()) + 86_400},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-town"},
        {"aud": None},
        {"aud": ["another-town"]},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a" * 201},
    ],
    ids=[
        "past",
        "no end",
        "no time",
        "future",
        "issuer",
        "no issuer",
        "audience",
        "no audience",
        "list",
        "nobody",
        "nameless",
        "numbered",
        "a name too long",
    ],
)
def test_a_token_for_another_time_issuer_or_audience_is_refused(
    verifier: Verifier, claims: dict[str, Any]
) -> None:
    refused(verifier, token(**claims))


@pytest.mark.parametrize(
    ("typ", "inner", "counts"),
    [
        ("at+jwt", None, True),
        ("application/at+jwt", None, True),
        ("AT+JWT", None, True),
        ("JWT", "Bearer", True),
        (None, "Bearer", True),
        (None, None, False),
        ("JWT", None, False),
        ("JWT", "ID", False),
        ("JWT", "Refresh", False),
        ("logout+jwt", "Bearer", False),
        ("dpop+jwt", None, False),
    ],
)
def test_only_access_tokens_count(
    verifier: Verifier, typ: str | None, inner: str | None, counts: bool
) -> None:
    made = token(kind=typ, typ=inner)
    if counts:
        assert verifier.principal(made).subject == "ada"
    else:
        refused(verifier, made)


@pytest.mark.parametrize("roles", [[r for r in ROLES if r != "provider"], [], ["Provider"], "provider", None])
def test_organisations_count_for_providers_alone(verifier: Verifier, roles: Any) -> None:
    assert verifier.principal(token(roles=roles, providers=["p1"])).providers == frozenset()


def test_one_audience_of_several_is_enough(verifier: Verifier) -> None:
    assert verifier.principal(token(aud=["another-town", "coburg"])).subject == "ada"


def test_a_strangers_signature_is_refused(verifier: Verifier) -> None:
    refused(verifier, token(new_key()))
    stranger = new_key()
    forged = jwt.encode({"alg": "ES256", "kid": KEY.kid}, {"sub": "ada"}, stranger)
    refused(verifier, forged)


def test_changed_claims_are_refused(verifier: Verifier) -> None:
    head, _, signature = token().split(".")
    refused(verifier, f"{head}.{part({'sub': 'eve', 'roles': ['operator']})}.{signature}")


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(verifier: Verifier, alg: str) -> None:
    _, claims, _ = token().split(".")
    refused(verifier, f"{part({'alg': alg, 'kid': KEY.kid})}.{claims}.")


@pytest.mark.parametrize("secret", [KEY.as_pem(private=False), jwks(KEY).encode()], ids=["pem", "jwks"])
def test_the_public_key_is_no_shared_secret(verifier: Verifier, secret: bytes) -> None:
    """The classic confusion: HS256 with what everybody may know."""
    _, claims, _ = token().split(".")
    signed = f"{part({'alg': 'HS256', 'kid': KEY.kid})}.{claims}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    refused(verifier, f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c", "....", "ü.ü.ü", "{}.{}.{}", "e30.e30.", "W10.W10.W10"]
)
def test_what_is_no_token_is_refused(verifier: Verifier, text: str) -> None:
    refused(verifier, text)


def test_claims_that_are_no_object_are_refused(verifier: Verifier) -> None:
    from joserfc import jws

    signed = jws.serialize_compact({"alg": "ES256", "kid": KEY.kid}, b'["editor"]', KEY)
    refused(verifier, signed)


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({"realm_access": {"roles": ["editor"]}}, {"editor"}),
        ({"realm_access": {}}, set()),
        ({"realm_access": "editor"}, set()),
        ({"realm_access": {"roles": "editor"}}, set()),
        ({"roles": ["operator"]}, set()),
    ],
)
def test_roles_stand_where_the_setting_says(tmp_path: Path, claims: dict[str, Any], roles: set[str]) -> None:
    (tmp_path / "jwks.json").write_text(jwks(KEY))
    there = settings(oidc_jwks=str(tmp_path / "jwks.json"), oidc_roles_claim="realm_access.roles")
    assert Verifier(there).principal(token(**claims)).roles == roles


def test_without_a_token_401_without_the_role_403(start: Probe, home: Any) -> None:
    client = start()
    answer = client.get("/v1/whoami")
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    problem(client.get("/v1/whoami", headers={"Authorization": "Bearer nonsense"}), 401)
    assert "operator" in problem(client.get("/v1/whoami", headers=bearer(home, "merchant")), 403)["detail"]
    assert client.get("/v1/whoami", headers=bearer(home, "operator")).json()["roles"] == ["operator"]
