"""Many things in few transactions, of which one that cannot be handled keeps no other waiting."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from prometheus_client import Counter
from sqlmodel import Session

from libs.servicekit.outages import is_database_outage

T = TypeVar("T")

log = structlog.get_logger(__name__)
LEFT = Counter("things_left", "Things that a job could not handle and left as they are", ["job"])


@contextmanager
def leaving(job: str, thing: object) -> Iterator[None]:
    """What fails in the block is said and left as it is; an outage ends the work, which is taken up again later."""
    try:
        yield
    except Exception as error:
        if is_database_outage(error):
            raise
        LEFT.labels(job).inc()
        log.error("left as it is", job=job, thing=getattr(thing, "id", thing), exc_info=error)


def each_apart(session: Session, job: str, things: Iterable[T], effect: Callable[[T], object]) -> int:
    """Do it to each in a savepoint of its own; returns to how many it was done."""
    done = 0
    for thing in list(things):
        with leaving(job, thing):
            with session.begin_nested():
                effect(thing)
            done += 1
    return done
