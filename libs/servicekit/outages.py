"""Outages: errors that say that something is away, so that waiting helps. Everything else is a bug, or a broken rule."""

import sqlite3

from nats.errors import Error as NatsError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# What a database that is away, restarting, full or overloaded says; everything else is a bug or a broken rule.
# SQLite: busy, out of memory, not writable, disk trouble, full, not there, damaged.
SQLITE_OUTAGES = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    )
)
# PostgreSQL: connection, resources, operator's intervention, system error; a lost race of transactions, read-only.
POSTGRESQL_OUTAGES = ("08", "53", "57", "58", "40001", "40P01", "55P03", "25006")


def is_database_outage(error: BaseException) -> bool:
    """Whether this error says that the database cannot be used now, and not that it was asked something wrong."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeoutError)
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_CANTOPEN)
        return code & 0xFF in SQLITE_OUTAGES
    state = getattr(cause, "sqlstate", None)
    if state is None:  # the server was not even reached
        return isinstance(error, OperationalError | InterfaceError)
    return str(state).startswith(POSTGRESQL_OUTAGES)


class Transient(Exception):  # noqa: N818 - says what it is
    """Raise when a dependency is away: the event waits for it, however long that takes."""


def is_outage(error: BaseException) -> bool:
    """Whether any dependency is away: the broker, the database, or what raised Transient."""
    return isinstance(error, Transient | NatsError | ConnectionError) or is_database_outage(error)
