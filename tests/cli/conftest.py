"""The command as a user calls it."""

import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from cli.home import ROOT

Coburg = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def coburg() -> Coburg:
    """Runs `coburg …` in an environment and returns what it said."""

    def run(environ: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli", *words]
        wide = {**environ, "COLUMNS": "200"}
        return subprocess.run(
            command, env=wide, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )

    return run
