"""The PostgreSQL of tests ends with the run that started it, however that ends."""

import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from cli.home import ROOT
from tests.postgres import PACKAGE, postgres, programs
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


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout in a folder that others may not enter, and a place for what is lent to them."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        package = folder / "private" / PACKAGE
        package.parent.mkdir(mode=0o700)
        own = Path(str(find_spec(PACKAGE).origin)).parent  # type: ignore[union-attr]
        for each in (own, own.with_name(f"{PACKAGE}.libs")):
            shutil.copytree(each, package.parent / each.name)
        lent = folder / "lent"
        lent.mkdir()
        lent.chmod(0o711)
        spec = SimpleNamespace(origin=str(package / "__init__.py"))
        monkeypatch.setattr("tests.postgres.find_spec", lambda _: spec)
        monkeypatch.setattr("tests.postgres.LASTING", (str(lent),))
        yield package


def modes(folder: Path) -> dict[Path, int]:
    return {
        each: each.stat().st_mode for each in (*folder.rglob("*"), folder, *folder.parents) if each.exists()
    }


def test_it_runs_from_a_closed_folder_and_leaves_permissions_and_users_as_they_are(closed: Path) -> None:
    before, users = modes(closed), pwd.getpwall()
    with ThreadPoolExecutor() as pool:  # several runs at once, on a machine where none has been
        assert len(set(pool.map(lambda _: programs(), range(4)))) == 1
    with postgres() as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert modes(closed) == before
    assert pwd.getpwall() == users
