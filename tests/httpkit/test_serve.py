"""What all services start with: a process that starts fast and ends although somebody still listens."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from cli.home import ROOT
from libs.httpkit import serve
from tests.stack import end, free_port_base, plain_environment
from tests.waiting import until


class Served(NamedTuple):
    """The app of endless.py as a process of its own."""

    child: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def answers(self) -> bool:
        """Whether it listens by now."""
        try:
            return httpx2.get(f"{self.url}/garbage").is_success
        except httpx2.TransportError:
            return False


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    port = str(free_port_base())
    words = [sys.executable, "-m", serve.__name__, "tests.httpkit.endless:app", "--port", port]
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(words, cwd=ROOT, env=plain_environment(), stderr=log)
    try:
        served = Served(child, f"http://127.0.0.1:{port}", tmp_path / "log")
        until(served.answers)
        yield served
    finally:
        end(child)


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
