"""Giving out the places: all wishes of a closed period enter, every child's answer, the figures, one fact and a message
to each family leave, in one transaction. The same wishes, confirmations and seed always give the same answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import update
from sqlmodel import Session

from libs.contracts.messages import AllocationDrawn, AllocationLeftOut, AllocationPlaced
from libs.contracts.offers import NeedKind
from libs.servicekit import outbox
from libs.servicekit.outbox import Entry
from services.offers.allocation import queries
from services.offers.allocation.commands import move
from services.offers.allocation.domain import PeriodStatus
from services.offers.allocation.facts import message, tell
from services.offers.allocation.models import Activity, Period, WishingChild, Wishlist
from services.offers.allocation.outcome import Answer, Child, allocate
from services.offers.allocation.wishlists import Signer
from services.offers.needs import commands as needs


@dataclass
class Drawn:
    """What giving out the places comes to, before anything is written; `version` is the period's it was drawn from."""

    version: int
    activities: list[Activity]
    wishlists: list[Wishlist]
    children: list[WishingChild]
    answers: dict[str, list[Answer]]

    @property
    def figures(self) -> dict[str, int]:
        """How many took part, got a place, got none at all."""
        got = sum(any(answer.activity for answer in answers) for answers in self.answers.values())
        return {"children": len(self.children), "placed": got, "left_out": len(self.children) - got}

    def counted(self) -> Iterable[tuple[Activity, dict[str, int]]]:
        """By activity: how many wished for it, how many as their dearest, how many got it."""
        wishes = [wished for child in self.children for wished in child.wishes.values()]
        wanted = Counter(activity for wished in wishes for activity in wished)
        first = Counter(wished[0] for wished in wishes)
        placed = Counter(answer.activity for answers in self.answers.values() for answer in answers)
        for each in self.activities:
            yield each, {"wished": wanted[each.id], "first": first[each.id], "placed": placed[each.id]}


def draw_up(session: Session, period: Period) -> Drawn:
    """Give out the places without keeping anything."""
    activities, children = queries.activities(session, period.id), queries.children(session, period.id)
    wishlists = queries.wishlists(session, period.id)
    # Siblings draw together, and with all who name the same group.
    groups = {each.id: f"group {each.group}" if each.group else each.id for each in wishlists}
    places: dict[str, dict[str, int]] = {slot["name"]: {} for slot in period.slots}
    for each in activities:
        places[each.slot][each.id] = each.places
    taking_part = [
        Child(child.id, groups[child.wishlist_id], child.wishes, frozenset(child.confirmed))
        for child in children
    ]
    answers = allocate(period.seed, period.ruled.criteria, places, taking_part)
    return Drawn(period.version, activities, wishlists, children, answers)


@dataclass
class Result:
    """The same as it is written: no more than that is left to do while others wait for the database."""

    drawn: Drawn
    answers: list[dict[str, Any]]
    counts: list[dict[str, Any]]
    messages: list[Entry]


def prepare(session: Session, period_id: str, sign: Signer) -> Result | None:
    """Give out the places as ordered, in a look at the database that holds up nobody; None when that is done already.

    Wishes and confirmations stand still from the order on.
    """
    period = queries.period(session, period_id)
    if period.status != PeriodStatus.ALLOCATING:
        return None
    drawn = draw_up(session, period)
    counts = [{"id": activity.id, **counts} for activity, counts in drawn.counted()]
    return Result(drawn, _answers(drawn), counts, _messages(period, drawn, sign))


def carry_out(session: Session, period_id: str, result: Result, today: date) -> None:
    """Keep and tell what was prepared; nothing happens when the period has moved on since."""
    period = queries.locked(session, period_id)
    if period.status != PeriodStatus.ALLOCATING or period.version != result.drawn.version:
        return
    for table, rows in ((WishingChild, result.answers), (Activity, result.counts)):
        if rows:
            session.execute(update(table), rows)
    _note_needs(session, period, result.drawn, today)
    move(period, PeriodStatus.ALLOCATED)
    period.figures = result.drawn.figures
    session.flush()
    tell(session, period)
    outbox.add_all(session, result.messages)


def _answers(drawn: Drawn) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for child in drawn.children:
        answers = drawn.answers[child.id]
        placed = sum(answer.activity is not None for answer in answers)
        kept = [dict(vars(answer)) for answer in answers]
        rows.append({"id": child.id, "answers": kept, "placed": placed, "missed": len(answers) - placed})
    return rows


def _note_needs(session: Session, period: Period, drawn: Drawn, today: date) -> None:
    """Whoever got nothing in a slot was refused at the offer that was dearest there."""
    offers = {each.id: each.offer_id for each in drawn.activities}
    families = {each.id: each.recipient_id for each in drawn.wishlists}
    refused = {
        (offers[answer.verdicts[0][0]], families[child.wishlist_id])
        for child in drawn.children
        for answer in drawn.answers[child.id]
        if answer.activity is None
    }
    for offer, recipient in sorted(refused):
        needs.note_offer(session, period.board, NeedKind.REFUSED, offer, recipient, today)


def _messages(period: Period, drawn: Drawn, sign: Signer) -> list[Entry]:
    got: dict[str, Counter[bool]] = defaultdict(Counter)
    for child in drawn.children:
        got[child.wishlist_id].update(answer.activity is not None for answer in drawn.answers[child.id])
    return [
        message(period, wishlist, _result(wishlist, got[wishlist.id], sign(period, wishlist.id)))
        for wishlist in drawn.wishlists
    ]


def _result(wishlist: Wishlist, got: Counter[bool], link: str) -> AllocationDrawn:
    template = AllocationPlaced if got[True] else AllocationLeftOut
    return template(wishlist=wishlist.id, link=link, placed=got[True], left_out=got[False])
