"""Events that came together share transactions: each has a savepoint of its own, and a transaction is over before others
wait long to write (ADR 61)."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from opentelemetry import trace
from opentelemetry.trace import Span
from sqlmodel import Session

from libs.servicekit.db import Database
from libs.servicekit.delivery import Delivered
from libs.servicekit.outages import is_outage

# How long one transaction may keep others from writing; the event that is under way then is finished in it.
TURN_SECONDS = 0.05

Effect = Callable[[Session, Delivered], None]


def in_turns(db: Database, events: Iterable[Delivered], effect: Effect) -> None:
    """Give each to `effect`; what fails notes its `error` and keeps no other waiting.

    A transaction that cannot be committed is done again with each event by itself, which shows whose fault it is. Once
    something that all of them need is away, none of those that are left is tried.
    """
    waiting, alone = deque(events), 0
    while waiting:
        some = list[Delivered]()
        try:
            _turn(db, waiting, some, effect, 0 if alone else TURN_SECONDS)
        except Exception as error:
            if len(some) > 1:
                waiting.extendleft(reversed(some))
                alone = len(some)
                continue
            _fail(some, error)
            if not some or is_outage(error):
                _fail(waiting, error)
                return
        alone = max(0, alone - 1)


def _turn(
    db: Database, waiting: deque[Delivered], some: list[Delivered], effect: Effect, seconds: float
) -> None:
    with db.transaction() as session:
        ends = time.monotonic() + seconds
        while waiting and (not some or time.monotonic() < ends):
            some.append(waiting.popleft())
            _apart(session, some[-1], effect)


def _apart(session: Session, each: Delivered, effect: Effect) -> None:
    each.error = None
    try:
        with _under(each.span), session.begin_nested():
            effect(session, each)
    except Exception as error:
        if is_outage(error):
            raise
        each.error = error


def _under(span: Span) -> AbstractContextManager[Span]:
    # What went wrong is said when it is settled, in words that may lie about.
    return trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False)


def _fail(events: Iterable[Delivered], error: Exception) -> None:
    for each in events:
        each.error = error
