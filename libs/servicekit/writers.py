"""Writers of one process on SQLite wait in line: it lets who waits sleep and ask again, up to a tenth of a second at a time.

Whoever has a turn keeps it until the transaction ends; writers of other processes are waited for as ever.
"""

import contextlib
import sqlite3
import threading


def in_line() -> type[sqlite3.Connection]:
    """A class of connections, to one database, that write one after the other."""
    line = threading.Lock()

    class InLine(sqlite3.Connection):
        """A connection that has its turn, or not."""

        has_turn = False

        def take_turn(self, seconds: float) -> bool:
            """Wait for it; False when that takes longer."""
            self.has_turn = line.acquire(timeout=seconds)
            return self.has_turn

        def end_turn(self) -> None:
            """The next may write."""
            if self.has_turn:
                self.has_turn = False
                line.release()

        def commit(self) -> None:
            """All of it is durable, or nothing was written: nobody rolls back behind a commit that failed."""
            try:
                super().commit()
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    super().rollback()
                raise
            finally:
                self.end_turn()

        def rollback(self) -> None:
            """Nothing was written."""
            try:
                super().rollback()
            finally:
                self.end_turn()

        def close(self) -> None:
            """Gone, whatever was under way."""
            try:
                super().close()
            finally:
                self.end_turn()

    return InLine
