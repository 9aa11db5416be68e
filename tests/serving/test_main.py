"""What all services start with: a process that starts fast and ends although somebody still listens."""

import signal

import httpx2
import pytest

from libs.serving.__main__ import proxies
from tests.serving.conftest import Served


def test_garbage_is_looked_for_but_not_among_what_was_imported(served: Served) -> None:
    said = httpx2.get(f"{served.url}/garbage").json()
    assert said["collected"]
    assert said["kept"] > 10_000


def test_whoever_still_listens_does_not_hold_up_the_end(served: Served) -> None:
    with httpx2.stream("GET", f"{served.url}/stream") as answer:
        assert next(answer.iter_lines()) == "begun"
        served.child.send_signal(signal.SIGTERM)
        assert served.child.wait(12) in (0, -signal.SIGTERM)
    assert "GET /" not in served.log.read_text()


def test_nobody_is_whom_he_says_he_is_unless_a_proxy_says_so(served: Served) -> None:
    lie = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert httpx2.post(f"{served.url}/said", headers=lie).json()["client"] == "127.0.0.1"


@pytest.mark.parametrize(
    "served", [{"COBURG_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8, fd00::/8"}], indirect=True
)
def test_the_rightmost_address_that_is_no_proxy_counts(served: Served) -> None:
    for said, client in {
        "198.51.100.1, 203.0.113.9": "203.0.113.9",
        "203.0.113.9, 10.1.2.3, fd00::1": "203.0.113.9",
        "10.0.0.1, 192.0.2.7": "192.0.2.7",
    }.items():
        answer = httpx2.post(f"{served.url}/said", headers={"X-Forwarded-For": said})
        assert answer.json()["client"] == client


@pytest.mark.parametrize("everybody", ["*", "proxy", "10.0.0.0/8,*"])
def test_not_everybody_can_be_a_proxy(everybody: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        proxies(everybody)
