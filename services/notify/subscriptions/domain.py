"""Rules of subscriptions: what is told of several changes of one thing, and when. Values in, values out."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.notify.addresses.domain import QuietHours, after_quiet
from services.notify.things.domain import Change

MOST_PER_RECIPIENT = 100
DIGEST_AT = time(8)
MONDAY = 0
WARN_BEFORE = timedelta(days=3)
KEPT = timedelta(days=30)
# What comes without being asked for; deadlines are for those who say so.
USUAL = (Change.NEW, Change.CHANGED, Change.CANCELLED, Change.PLACE_FREE)


class Cadence(StrEnum):
    """How often a subscription is told."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    WAITING = "waiting"
    TOLD = "told"
    DROPPED = "dropped"


# The soonest comes first.
SOONEST = {cadence: number for number, cadence in enumerate(Cadence)}


def merged(waiting: Change, newer: Change) -> Change | None:
    """What is told of a thing of which something else was to be told already; None when nothing is left to be said."""
    if waiting is Change.NEW:
        return None if newer is Change.CANCELLED else Change.NEW
    if waiting is Change.PLACE_FREE and newer is Change.CHANGED:
        return waiting
    return newer


def wanted(change: Change, *, fits_now_first: bool, changes: Iterable[str]) -> Change | None:
    """As what a change is told to somebody who asked for `changes`; what did not fit before is new."""
    as_new = (Change.NEW,) if fits_now_first and change is not Change.CANCELLED else ()
    return next((each for each in (*as_new, change) if each in changes), None)


def due(
    cadence: Cadence, at: datetime, zone: ZoneInfo, quiet: QuietHours | None, not_before: datetime | None
) -> datetime:
    """When something that happened at an instant is told; at once means not `not_before` and not in quiet hours."""
    when = max(at, not_before or at) if cadence is Cadence.AT_ONCE else next_digest(cadence, at, zone)
    return after_quiet(when, quiet, zone)


def next_digest(cadence: Cadence, after: datetime, zone: ZoneInfo) -> datetime:
    """The next morning (or Monday morning) by the clock on the wall."""
    day = after.astimezone(zone).date()
    for ahead in range(9):
        date = day + timedelta(days=ahead)
        moment = datetime.combine(date, DIGEST_AT, zone).astimezone(after.tzinfo)
        if moment > after and (cadence is not Cadence.WEEKLY or date.weekday() == MONDAY):
            return moment
    raise AssertionError("every week has a Monday")
