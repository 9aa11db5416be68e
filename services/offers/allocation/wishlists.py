"""What families do: hand in a wish list, change it, take it back. One function = one transaction of the caller's."""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session, col, delete

from libs.contracts.messages import AllocationReceived
from libs.servicekit import erasure
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, check_version
from services.offers.allocation import queries
from services.offers.allocation.commands import keep_time
from services.offers.allocation.domain import Choice, NewWishlist, PeriodStatus, check_child
from services.offers.allocation.facts import write_to
from services.offers.allocation.models import Period, WishingChild, Wishlist

MAX_CHILDREN = 20_000
Signer = Callable[[Period, str], str]


def wish(session: Session, period_id: str, said: NewWishlist, at: datetime, sign: Signer) -> Wishlist:
    """Take a family's wishes and send it the link under which it finds them again."""
    period = _open(session, period_id, at)
    if queries.count_children(session, period_id) + len(said.children) > MAX_CHILDREN:
        raise Conflict(
            f"A period takes at most {MAX_CHILDREN} children.", code="period-full", most=MAX_CHILDREN
        )
    wishlist = Wishlist(period_id=period_id, recipient_id=said.recipient_id, group=said.group)
    session.add(wishlist)
    session.flush()
    _write(session, period, wishlist, said)
    link, children = sign(period, wishlist.id), len(said.children)
    write_to(
        session,
        period,
        wishlist,
        AllocationReceived(wishlist=wishlist.id, link=link, children=children),
    )
    return wishlist


def change_wishes(
    session: Session, wishlist_id: str, expected: int, said: NewWishlist, at: datetime
) -> Wishlist:
    """Replace a wish list. A child of the same label stays the same child, and what was confirmed stays so."""
    period = _open(session, queries.wishlist(session, wishlist_id).period_id, at)
    wishlist = queries.wishlist(session, wishlist_id)
    check_version(expected, wishlist.version)
    wishlist.recipient_id, wishlist.group = said.recipient_id, said.group
    wishlist.version, wishlist.changed_at = wishlist.version + 1, now()
    _write(session, period, wishlist, said)
    return wishlist


def withdraw_wishes(session: Session, wishlist_id: str, expected: int) -> None:
    """Erase a wish list and all that is known of its children; until places are given out it takes no part then."""
    queries.locked(session, queries.wishlist(session, wishlist_id).period_id)
    wishlist = queries.wishlist(session, wishlist_id)
    check_version(expected, wishlist.version)
    session.execute(delete(WishingChild).where(col(WishingChild.wishlist_id) == wishlist_id))
    session.delete(wishlist)
    erasure.forget(session, wishlist_id)


def erase(session: Session, period_id: str) -> None:
    """Erase what families wrote for a period; its figures stay."""
    period = queries.locked(session, period_id)
    for table in (WishingChild, Wishlist):
        session.execute(delete(table).where(col(table.period_id) == period_id))
    period.erased = True


def _open(session: Session, period_id: str, at: datetime) -> Period:
    period = queries.locked(session, period_id)
    keep_time(session, period, at)
    if period.status != PeriodStatus.OPEN:
        since, until = period.wishes_from.isoformat(), period.wishes_until.isoformat()
        raise Conflict(
            f"Wishes are taken from {since} until {until}.", code="wishes-closed", since=since, until=until
        )
    return period


def _write(session: Session, period: Period, wishlist: Wishlist, said: NewWishlist) -> None:
    _check(session, period, wishlist, said)
    known = {child.label: child for child in queries.children_of(session, wishlist.id)}
    for wishing in said.children:
        child = known.pop(wishing.label, None)
        if child is None:
            child = WishingChild.of(wishlist, wishing.label)
        child.born, child.wishes = wishing.born, wishing.wishes
        child.claims = list(dict.fromkeys(claim.key for claim in wishing.claims))
        child.confirmed = [key for key in child.confirmed if key in child.claims]
        child.version += 1
        session.add(child)
    for gone in known.values():
        session.delete(gone)
    session.flush()


def _check(session: Session, period: Period, wishlist: Wishlist, said: NewWishlist) -> None:
    rules, choices = period.ruled, choices_of(session, period)
    found = [
        FieldError(field=f"children.{number}.{field}", reason=reason)
        for number, child in enumerate(said.children)
        for field, reason in check_child(child, rules, choices)
    ]
    if said.group is not None:
        others = queries.in_group(session, period.id, said.group, wishlist.id)
        if others + len(said.children) > rules.group_max:
            found.append(
                FieldError(field="group", reason=f"at most {rules.group_max} children draw together")
            )
    if found:
        raise Invalid(*found[:50])


def choices_of(session: Session, period: Period) -> dict[str, Choice]:
    """What there is to wish for, as the rules for wishes see it."""
    starts = {slot.name: slot.start for slot in period.slotted}
    return {each.id: each.choice(starts[each.slot]) for each in queries.activities(session, period.id)}
