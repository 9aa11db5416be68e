"""Access tokens: only those that the issuer signed for us, now, count; its keys may move and may be away."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from libs.httpkit import auth
from libs.httpkit.auth import Verifier
from libs.httpkit.problems import Problem
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


def token(key: Key = KEY, alg: str = "ES256", **claims: Any) -> str:
    said = {
        "iss": "https://coburg.local",
        "aud": "coburg",
        "sub": "ada",
        "exp": int(time.time()) + 600,
        "roles": ["editor"],
        **claims,
    }
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": key.kid}, said, key, algorithms=[alg])


@pytest.fixture
def verifier(tmp_path: Path) -> Verifier:
    (tmp_path / "jwks.json").write_text(jwks(KEY))
    return Verifier(settings(oidc_jwks=str(tmp_path / "jwks.json")))


def refused(verifier: Verifier, credentials: str) -> Problem:
    with pytest.raises(Problem) as caught:
        verifier.principal(credentials)
    assert caught.value.body.status == 401
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}
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
        {"nbf": int(time.time()) + 600},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-town"},
        {"aud": None},
        {"aud": ["another-town"]},
        {"sub": None},
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
    ],
)
def test_a_token_for_another_time_issuer_or_audience_is_refused(
    verifier: Verifier, claims: dict[str, Any]
) -> None:
    refused(verifier, token(**claims))


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


def test_the_issuers_keys_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "KEYS_RETRY_SECONDS", 0)
    file, young = tmp_path / "jwks.json", new_key()
    file.write_text(jwks(KEY))
    verifier = Verifier(settings(oidc_jwks=str(file)))
    verifier.principal(token())
    file.write_text(jwks(young))
    assert verifier.principal(token(young)).subject == "ada"
    refused(verifier, token())


def test_bad_tokens_do_not_make_the_keys_be_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(jwks(KEY))
    verifier = Verifier(settings(oidc_jwks=str(file)))
    verifier.principal(token())
    file.write_text(jwks(new_key()))
    refused(verifier, token(new_key()))
    assert verifier.principal(token()).subject == "ada", "the keys were read again within seconds"


@pytest.fixture
def issuer() -> Iterator[Callable[[str], str]]:
    """A small issuer: sets what it publishes, returns its address."""
    published = {"keys": ""}

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if published["keys"] else 500)
            self.end_headers()
            self.wfile.write(published["keys"].encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        Thread(target=server.serve_forever, daemon=True).start()

        def publish(keys: str) -> str:
            published["keys"] = keys
            return f"http://127.0.0.1:{server.server_port}/jwks"

        yield publish
        server.shutdown()


def unavailable(verifier: Verifier) -> None:
    with pytest.raises(Problem) as caught:
        verifier.principal(token())
    assert caught.value.body.status == 503
    assert (caught.value.headers or {})["Retry-After"]


def test_keys_by_address(issuer: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "KEYS_RETRY_SECONDS", 0)
    verifier = Verifier(settings(oidc_jwks=issuer("")))
    unavailable(verifier)
    issuer("{")
    unavailable(verifier)
    issuer(jwks(KEY))
    assert verifier.principal(token()).subject == "ada"
    young = new_key()
    issuer(jwks(KEY, young))
    assert verifier.principal(token(young)).subject == "ada"


@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"keys": 3}', '{"keys": [{"kty": "XY"}]}'])
def test_what_is_no_key_set_counts_as_away(tmp_path: Path, text: str) -> None:
    (tmp_path / "jwks.json").write_text(text)
    unavailable(Verifier(settings(oidc_jwks=str(tmp_path / "jwks.json"))))


def test_known_keys_outlast_an_issuer_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "KEYS_FRESH_SECONDS", 0)
    file = tmp_path / "jwks.json"
    file.write_text(jwks(KEY))
    verifier = Verifier(settings(oidc_jwks=str(file)))
    verifier.principal(token())
    file.unlink()
    assert verifier.principal(token()).subject == "ada"


def test_absent_keys_are_503_at_the_edge(start: Probe, home: Any, tmp_path: Path) -> None:
    client = start(oidc_jwks=str(tmp_path / "nowhere.json"))
    told = problem(client.get("/v1/whoami", headers=bearer(home, "editor")), 503)
    assert "keys" in told["detail"]
    assert client.get("/v1/notes").status_code == 200, "reading needs no keys"


def test_without_a_token_401_without_the_role_403(start: Probe, home: Any) -> None:
    client = start()
    answer = client.get("/v1/whoami")
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    problem(client.get("/v1/whoami", headers={"Authorization": "Bearer nonsense"}), 401)
    assert "operator" in problem(client.get("/v1/whoami", headers=bearer(home, "merchant")), 403)["detail"]
    assert client.get("/v1/whoami", headers=bearer(home, "operator")).json()["roles"] == ["operator"]
