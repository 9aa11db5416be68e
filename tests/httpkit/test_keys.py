"""The issuer's keys: they may move, may be away and may hang, and whoever can do without them is not kept waiting."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from libs.httpkit import auth, keys
from libs.httpkit.auth import Verifier
from libs.httpkit.problems import headers_of, status_of
from libs.servicekit.errors import Unavailable, UseCaseError
from tests.httpkit.test_auth import KEY, jwks, new_key, refused, token
from tests.servicekit.conftest import Probe, bearer, problem, settings
from tests.waiting import until

# Longer than anybody may wait, much shorter than the issuer hangs; the machine may be busy.
SOON = 2.0


def test_the_issuers_keys_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "RETRY_SECONDS", 0)
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


HANGING = "hanging"


@pytest.fixture
def issuer() -> Iterator[Callable[[str], str]]:
    """A small issuer: sets what it publishes, returns its address. It hangs over the keys `HANGING`."""
    published, over = {"keys": ""}, Event()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if published["keys"] == HANGING:
                over.wait()
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
        over.set()
        server.shutdown()


def unavailable(verifier: Verifier) -> None:
    with pytest.raises(Unavailable) as caught:
        verifier.principal(token())
    assert status_of(caught.value)[0] == 503
    assert headers_of(caught.value)["Retry-After"]


def test_keys_by_address(issuer: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "RETRY_SECONDS", 0)
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
    monkeypatch.setattr(auth, "FRESH_SECONDS", 0)
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


@pytest.fixture
def hanging() -> Iterator[str]:
    """An issuer that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/jwks"


def seconds(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_nobody_waits_long_for_an_issuer_that_hangs(hanging: str) -> None:
    verifier = Verifier(settings(oidc_jwks=hanging))
    with ThreadPoolExecutor(20) as pool:
        waited = list(pool.map(lambda _: seconds(lambda: unavailable(verifier)), range(20)))
    assert max(waited) < SOON
    assert seconds(lambda: unavailable(verifier)) < keys.WAIT_SECONDS / 2, "it hangs still, as is known"


def test_known_keys_open_at_once_while_the_issuer_hangs(
    issuer: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "READ_SECONDS", 2.0)
    monkeypatch.setattr(keys, "RETRY_SECONDS", 0)
    verifier = Verifier(settings(oidc_jwks=issuer(jwks(KEY))))
    verifier.principal(token())
    issuer(HANGING)
    monkeypatch.setattr(auth, "FRESH_SECONDS", 0)
    assert seconds(lambda: verifier.principal(token())) < keys.READ_SECONDS, "they are old: a short wait"
    time.sleep(keys.READ_SECONDS)
    assert seconds(lambda: [verifier.principal(token()) for _ in range(50)]) < keys.WAIT_SECONDS
    young = new_key()
    issuer(jwks(KEY, young))
    until(lambda: opens(verifier, token(young)))


def opens(verifier: Verifier, credentials: str) -> bool:
    try:
        return bool(verifier.principal(credentials))
    except UseCaseError:
        return False


def test_who_needs_no_keys_is_served_while_others_wait_for_them(
    start: Probe, home: Any, hanging: str
) -> None:
    client = start(oidc_jwks=hanging)
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(client.get, "/v1/whoami", headers=bearer(home, "editor")) for _ in range(10)]
        assert seconds(lambda: client.get("/v1/notes").raise_for_status()) < keys.WAIT_SECONDS
        for answer in asked:
            problem(answer.result(SOON), 503)
