"""An app as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from cli.home import ROOT
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


@contextmanager
def serving(folder: Path, **environ: str) -> Iterator[Served]:
    """The app as a process, until the block ends."""
    port = str(free_port_base())
    words = [sys.executable, "-m", "libs.serving", "tests.serving.endless:app", "--port", port]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(words, cwd=ROOT, env=plain_environment() | environ, stderr=log)
    try:
        served = Served(child, f"http://127.0.0.1:{port}", folder / "log")
        until(served.answers)
        yield served
    finally:
        end(child)


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """Started with the settings that a test asks for."""
    with serving(tmp_path, **getattr(request, "param", {})) as process:
        yield process
