"""What a service has at hand while it runs."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from libs.bus.connection import Bus
from libs.servicekit.db import Database
from libs.servicekit.settings import Settings

ANSWER_SECONDS = 2.0
# SQLite writes one transaction after the other, and Python runs one thread at a time.
CONSUMER_THREADS = 4


def terminate() -> None:
    """End this process as its supervisor would."""
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class Kit:
    """Settings, bus and database, and how far the service has come.

    `failure` says why it cannot start at all. Events are handled in `threads` of their own: requests have the others.
    """

    settings: Settings
    connection: Bus | None = None
    db: Database | None = None
    migrated: bool = True
    failure: str | None = None
    leave: Callable[[], None] = terminate
    preparing: set[str] = field(default_factory=set)
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(CONSUMER_THREADS, thread_name_prefix="consumer")
    )
    _ping: asyncio.Future[bool] | None = None

    @property
    def bus(self) -> Bus:
        """The bus of a service that has one."""
        if self.connection is None:
            raise RuntimeError(f"{self.settings.service} was made without a bus")
        return self.connection

    @property
    def database(self) -> Database:
        """The database of a service that has one."""
        if self.db is None:
            raise RuntimeError(f"{self.settings.service} was made without migrations, so it has no database")
        return self.db

    async def missing_database(self) -> bool:
        """Whether the database cannot be used now; a frozen one keeps one thread waiting, not one for each who asks."""
        if self.db is None:
            return False
        if self._ping is None or self._ping.done():
            self._ping = asyncio.ensure_future(asyncio.to_thread(_answers, self.db))
        done, _ = await asyncio.wait([self._ping], timeout=ANSWER_SECONDS)
        return not self.migrated or not done or not self._ping.result()


def _answers(db: Database) -> bool:
    try:
        db.ping()
    except SQLAlchemyError:
        return False
    return True


Job = Callable[[Kit], Awaitable[None]]
