"""What is done with periods: one function = one transaction of the caller's, with the facts it causes.

Whatever changes a period, its wishes or its places holds the period's row: a wish list that was accepted takes part.
"""

import secrets
from datetime import datetime, timedelta, tzinfo

from sqlmodel import Session

from libs.servicekit.db import leave_work, now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from services.offers.allocation import queries
from services.offers.allocation.domain import Claim, NewPeriod, PeriodStatus, Rules
from services.offers.allocation.facts import tell
from services.offers.allocation.models import Period, WishingChild
from services.offers.allocation.offered import activity_of
from services.offers.boards import queries as boards


def announce(session: Session, board: str, said: NewPeriod, at: datetime, zone: tzinfo) -> Period:
    """A new period on a board that gives out places by wish lists; its lots are fixed from now on."""
    rules = boards.one(session, board).declared.allocation
    if rules is None:
        raise Conflict(
            f"The board {board} declares no rules for giving out places by wish lists.",
            code="board-without-wishes",
        )
    last_day = max(slot.end for slot in said.slots)
    period = Period(
        board=board,
        title=said.title,
        rules=_narrowed(rules, said, at, zone).model_dump(mode="json"),
        slots=[slot.model_dump(mode="json") for slot in said.slots],
        wishes_from=said.wishes_from,
        wishes_until=said.wishes_until,
        seed=secrets.token_hex(32),
        erase_on=last_day + timedelta(days=rules.retention_days),
    )
    session.add(period)
    session.flush()
    slots = {slot.name: slot for slot in said.slots}
    session.add_all(
        [
            activity_of(session, period, number, activity, slots[activity.slot], zone)
            for number, activity in enumerate(said.activities)
        ]
    )
    session.flush()
    keep_time(session, period, at)
    return period


def _narrowed(rules: Rules, said: NewPeriod, at: datetime, zone: tzinfo) -> Rules:
    """The board's rules as the period applies them; Invalid for what they or the calendar do not allow."""
    most = said.places_per_child or rules.places_per_child
    if most > rules.places_per_child:
        raise Invalid(
            FieldError(field="places_per_child", reason=f"the board allows {rules.places_per_child}")
        )
    if said.wishes_until <= at:
        raise Invalid(FieldError(field="wishes_until", reason="lies in the past"))
    if min(slot.start for slot in said.slots) <= said.wishes_until.astimezone(zone).date():
        raise Invalid(FieldError(field="slots", reason="begin before the wishes are closed"))
    return rules.model_copy(update={"places_per_child": most})


def keep_time(session: Session, period: Period, at: datetime) -> None:
    """Open and close a period when its time has come; each a fact."""
    if period.status == PeriodStatus.ANNOUNCED and at >= period.wishes_from:
        move(period, PeriodStatus.OPEN)
        tell(session, period)
    if period.status == PeriodStatus.OPEN and at >= period.wishes_until:
        move(period, PeriodStatus.CLOSED)
        period.figures = {"children": queries.count_children(session, period.id)}
        tell(session, period)


def move(period: Period, status: PeriodStatus) -> None:
    """The next step in a period's life."""
    period.status, period.version, period.changed_at = status, period.version + 1, now()


def confirm(
    session: Session, period_id: str, child_id: str, expected: int, claims: list[Claim]
) -> WishingChild:
    """Note which of a child's claims were shown to be true; only these count. Not any more once places are given out."""
    period = queries.locked(session, period_id)
    child = queries.child(session, period_id, child_id)
    check_version(expected, child.version)
    if period.status in (PeriodStatus.ALLOCATING, PeriodStatus.ALLOCATED):
        raise Conflict("The places are given out already.", code="places-given-out")
    keys = [claim.key for claim in claims]
    if unknown := [
        FieldError(field=f"claims.{n}", reason="was not claimed")
        for n, key in enumerate(keys)
        if key not in child.claims
    ]:
        raise Invalid(*unknown)
    child.confirmed, child.version = list(dict.fromkeys(keys)), child.version + 1
    return child


def order(session: Session, period_id: str, at: datetime) -> Period:
    """Have the places given out; once ordered or done, asking again changes nothing."""
    period = queries.locked(session, period_id)
    keep_time(session, period, at)
    check_closed(period, at)
    if period.status == PeriodStatus.CLOSED:
        move(period, PeriodStatus.ALLOCATING)
        leave_work(session)
        period.error = None
    return period


def check_closed(period: Period, at: datetime) -> None:
    """Raise Conflict while wishes may still change: nobody shall see before what they would come to."""
    if at < period.wishes_until:
        raise Conflict(
            f"Wishes may still change until {period.wishes_until.isoformat()}.",
            code="wishes-open",
            until=period.wishes_until.isoformat(),
        )


def fail(session: Session, period_id: str, error: str) -> None:
    """Giving out places did not come to its end; it can be ordered again."""
    period = queries.locked(session, period_id)
    if period.status == PeriodStatus.ALLOCATING:
        move(period, PeriodStatus.CLOSED)
        period.error = error[:500]
