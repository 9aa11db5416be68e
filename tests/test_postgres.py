"""The PostgreSQL of tests ends with the run that started it, however that ends."""

import signal
import subprocess
import sys

import psutil
import pytest

from cli.home import ROOT
from tests.waiting import until

RUN = """
import time
from tests.postgres import postgres
with postgres() as server:
    print(server.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_a_run_that_is_ended(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdout=subprocess.PIPE) as run:
        assert run.stdout
        postmaster = psutil.Process(int(run.stdout.readline()))
        run.send_signal(number)
    until(lambda: not running(postmaster))


def running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
