"""Reads of feeds: the newest things that a question finds."""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from threading import Lock

from sqlalchemy import func
from sqlmodel import Session, col, select

from libs.cardquery.matching import Matching, Subject
from libs.cardquery.query import Query
from services.notify.things.models import Thing

AT_ONCE = 500
# Beyond these the newest are told, not all: whoever needs all of it asks less, or takes an export.
MOST_LOOKED_AT = 20_000
# What so many of them say is kept; a subject is tens of kilobytes.
KEPT = 3000


class Reading:
    """Looks through things, newest first; what a card says is worked out once per version."""

    def __init__(self, matching: Matching) -> None:
        self._matching, self._lock = matching, Lock()
        self._subjects: OrderedDict[tuple[str, int], Subject] = OrderedDict()

    def found(self, session: Session, asked: Query, limit: int) -> list[Thing]:
        """The newest listed things that answer, at most so many."""
        question, found = self._matching.asked(asked), list[Thing]()
        for number, thing in enumerate(_newest(session, asked)):
            if self._subject(thing, keep=number < KEPT).answers(question):
                found.append(thing)
                if len(found) == limit:
                    break
        return found

    def _subject(self, thing: Thing, *, keep: bool) -> Subject:
        """Only the first things of a look are kept: a long one would push out all that others can use."""
        key = (thing.key, thing.version)
        with self._lock:
            subject = self._subjects.get(key)
        if subject is None:
            subject = self._matching.subject(thing.shown)
            if keep:
                self._keep(key, subject)
        return subject

    def _keep(self, key: tuple[str, int], subject: Subject) -> None:
        with self._lock:
            self._subjects[key] = subject
            while len(self._subjects) > KEPT:
                self._subjects.popitem(last=False)


def _newest(session: Session, asked: Query) -> Iterator[Thing]:
    query = select(Thing).where(col(Thing.listed).is_(True))
    for name, column in (("kind", col(Thing.kind)), ("board", col(Thing.board))):
        if name in asked.filters:
            query = query.where(column.in_(asked.filters[name]))
    query = query.order_by(col(Thing.at).desc(), col(Thing.key)).limit(MOST_LOOKED_AT)
    yield from session.exec(query.execution_options(yield_per=AT_ONCE))


def marker(session: Session) -> tuple[datetime | None, int]:
    """Changes whenever any thing does: the newest instant, and the sum of versions."""
    newest, versions = session.exec(select(func.max(Thing.at), func.sum(Thing.version))).one()
    return newest, int(versions or 0)
