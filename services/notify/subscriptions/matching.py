"""A fact meets those who follow it: news of a thing enters, notices leave in the same transaction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from prometheus_client import Counter
from sqlmodel import Session

from libs.cardquery.matching import Matching, Subject
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.card import Card
from libs.servicekit.db import insert_into, leave_work, now
from libs.town.calendar import read
from services.notify.addresses.domain import QuietHours
from services.notify.subscriptions import commands, queries
from services.notify.subscriptions.anchors import sought
from services.notify.subscriptions.domain import SOONEST, Cadence, NoticeStatus, due, merged, wanted
from services.notify.subscriptions.filters import follow_of
from services.notify.subscriptions.models import Deadline, Notice
from services.notify.subscriptions.vocabulary import followed_words
from services.notify.things.commands import News
from services.notify.things.domain import Change

AT_ONCE = 500
NOTICED = Counter("notify_notices", "Facts that somebody is to be told", ["change"])


@dataclass(frozen=True)
class Told:
    """A fact: its id, when it happened, and the trace it is part of."""

    fact_id: str
    at: datetime
    traceparent: str | None = None


class Match(NamedTuple):
    """Why and how one recipient is told."""

    subscription_id: str
    change: Change
    cadence: Cadence
    zone: str
    quiet: dict[str, Any] | None


@lru_cache(maxsize=4)
def matching_of(city: Path) -> Matching:
    """The town's days and words, by which cards are compared."""
    return Matching(read(city), Vocabulary.of(city))


def match(session: Session, matching: Matching, news: News, told: Told, window: timedelta) -> int:
    """Note for everybody who follows this what they are to be told, once; returns how many."""
    _note_deadline(session, news)
    found = _matches(session, matching, news, told)
    waiting: dict[str, list[Notice]] = {}
    for notice in queries.open_of_thing(session, news.thing.key) if news.known else ():
        waiting.setdefault(notice.recipient_id, []).append(notice)
    if news.change is Change.CANCELLED:
        for recipient_id in waiting.keys() - found.keys():
            _withdraw(session, waiting[recipient_id])
    recent = queries.told_since(session, news.thing.key, now() - window) if found else {}
    rows = [
        row
        for recipient_id, match_ in found.items()
        if (
            row := _notice(
                session, news, told, recipient_id, match_, waiting.get(recipient_id, []), recent, window
            )
        )
    ]
    _write(session, rows)
    return len(rows)


def _matches(session: Session, matching: Matching, news: News, told: Told) -> dict[str, Match]:
    """Of each recipient the subscription that is told first."""
    if not queries.anybody(session):
        return {}
    subject = matching.subject(news.thing.shown)
    before = matching.subject(news.before) if news.before else None
    names = sought(subject, news.thing.thing_id, followed_words(session).meant_by(_words(subject)))
    best: dict[str, Match] = {}
    for row in queries.filed_under(session, names, told.at):
        change = _fits(row, matching, subject, before, news)
        if change is None:
            continue
        cadence, known = Cadence(row.cadence), best.get(row.recipient_id)
        if known is None or SOONEST[cadence] < SOONEST[known.cadence]:
            best[row.recipient_id] = Match(row.id, change, cadence, row.timezone, row.quiet)
    return best


def _fits(
    row: Any, matching: Matching, subject: Subject, before: Subject | None, news: News
) -> Change | None:
    follow, thing_id = follow_of(row.filter, matching.silent), news.thing.thing_id
    if not follow.answers(subject, thing_id):
        return None
    fits_first = before is not None and not follow.answers(before, thing_id)
    return wanted(news.change, fits_now_first=fits_first, changes=row.changes)


def _words(subject: Subject) -> Iterable[str]:
    return subject.wording.words


def _notice(
    session: Session,
    news: News,
    told: Told,
    recipient_id: str,
    found: Match,
    waiting: list[Notice],
    recent: dict[str, datetime],
    window: timedelta,
) -> dict[str, Any] | None:
    """The row that says what a recipient is told, instead of what was waiting; None when nothing is left to be said."""
    change: Change | None = found.change
    for earlier in waiting:
        change = merged(Change(earlier.change), change) if change else None
    _withdraw(session, waiting)
    if change is None:
        return None
    quiet = QuietHours.model_validate(found.quiet) if found.quiet else None
    last = recent.get(recipient_id)
    when = due(found.cadence, now(), ZoneInfo(found.zone), quiet, last + window if last else None)
    row = Notice(
        subscription_id=found.subscription_id,
        recipient_id=recipient_id,
        thing_key=news.thing.key,
        fact_id=told.fact_id,
        change=change,
        at=told.at,
        due_at=min([when, *(earlier.due_at for earlier in waiting)]),
        traceparent=told.traceparent,
    )
    return row.model_dump()


def _withdraw(session: Session, waiting: list[Notice]) -> None:
    """What was to be told is not true any more, or told otherwise."""
    for delivery_id in {notice.delivery_id for notice in waiting if notice.delivery_id}:
        commands.recall(session, delivery_id)
    for notice in waiting:
        notice.status = NoticeStatus.DROPPED
        session.add(notice)


def _write(session: Session, rows: list[dict[str, Any]]) -> None:
    session.flush()
    for some in _chunks(rows):
        session.execute(insert_into(session, Notice).values(some).on_conflict_do_nothing())
    for row in rows:
        NOTICED.labels(row["change"]).inc()
    if rows:
        leave_work(session)


def _chunks(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    yield from (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _note_deadline(session: Session, news: News) -> None:
    """Keep until when something of a thing can be had next."""
    row = session.get(Deadline, news.thing.key) if news.known else None
    at = deadline_of(news.card, now()) if news.card.listed else None
    if at is None:
        if row:
            session.delete(row)
    elif row is None:
        session.add(Deadline(thing_key=news.thing.key, at=at))
    elif row.at != at:
        row.at, row.told = at, False
        session.add(row)


def deadline_of(card: Card, after: datetime) -> datetime | None:
    """Until when something of it can be booked next, or else when it takes place next."""
    ends = [span.bookable_until for span in card.spans if span.bookable_until]
    instants = ends or ([card.bookable_until] if card.bookable_until else card.dates)
    return min((each for each in instants if each > after), default=None)
