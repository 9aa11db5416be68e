"""Seconds from `./coburg up --detach` to ready, in an empty home, after installation."""

import os
import subprocess
import time
from pathlib import Path

from benchmarks.report import Figure
from cli.home import ROOT
from tests.stack import free_port_base, plain_environment

CEILING_SECONDS = 10.0


def run(folder: Path) -> list[Figure]:
    """Start, and stop again."""
    environ = plain_environment() | {"COBURG_HOME": str(folder), "COBURG_PORT_BASE": str(free_port_base())}
    environ["PATH"] = os.environ["PATH"]
    started = time.perf_counter()
    try:
        _coburg("up", "--detach", environ=environ)
        taken = time.perf_counter() - started
    finally:
        _coburg("down", environ=environ)
    return [Figure("up → ready, cold", taken, "s", CEILING_SECONDS)]


def _coburg(*words: str, environ: dict[str, str]) -> None:
    subprocess.run([str(ROOT / "coburg"), *words], env=environ, check=True, stdout=subprocess.DEVNULL)
