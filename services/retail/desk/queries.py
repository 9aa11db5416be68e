"""Reads of the desk, and the reasons for tasks that stand in the service's own rows."""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from libs.selfservice.proposals.domain import Decision
from libs.selfservice.proposals.models import Proposal
from libs.servicekit.errors import NotFound
from services.retail.desk.domain import SILENT_FOR, UNCONFIRMED_FOR, Reason, TaskKind, TaskStatus
from services.retail.desk.models import Assessment, Task, Visit
from services.retail.shops.domain import ShopStatus
from services.retail.shops.models import Shop
from services.retail.stories.domain import StoryStatus
from services.retail.stories.models import Story


def reasons(session: Session, shops: list[Shop], today: date, zone: ZoneInfo) -> Iterator[Reason]:
    """Yield why something is to be done for these shops, by how their rows stand."""
    ids = [shop.id for shop in shops]
    for shop in shops:
        yield from _of_shop(shop, today, zone)
    for story in session.exec(
        select(Story).where(col(Story.shop_id).in_(ids), Story.status == StoryStatus.REVIEW)
    ):
        yield Reason(story.shop_id, TaskKind.REVIEW_STORY, story.id, _day(story.changed_at, zone))
    waiting = select(Proposal).where(col(Proposal.provider_id).in_(ids), Proposal.status == Decision.OPEN)
    for proposal in session.exec(waiting):
        yield Reason(
            proposal.provider_id, TaskKind.DECIDE_PROPOSAL, proposal.id, _day(proposal.created_at, zone)
        )
    yield from _silent(session, shops, today, zone)


def _of_shop(shop: Shop, today: date, zone: ZoneInfo) -> Iterator[Reason]:
    if shop.status == ShopStatus.SUBMITTED:
        yield Reason(shop.id, TaskKind.RELEASE_SHOP, "shop", _day(shop.created_at, zone))
    if shop.status != ShopStatus.PUBLISHED:
        return
    confirmed = shop.hours_confirmed_on or _day(shop.published_at or shop.created_at, zone)
    if confirmed + UNCONFIRMED_FOR <= today:
        # A new reason once a year, not one that was done and never comes again.
        yield Reason(shop.id, TaskKind.CONFIRM_HOURS, str(confirmed), confirmed + UNCONFIRMED_FOR)
    for notice in shop.notices:
        cause = notice["cause"]
        yield Reason(shop.id, TaskKind.SITE_NEARBY, cause["id"], today, cause)


def _silent(session: Session, shops: list[Shop], today: date, zone: ZoneInfo) -> Iterator[Reason]:
    ids = [shop.id for shop in shops]
    told = (
        select(Story.shop_id, func.max(Story.published_at))
        .where(col(Story.shop_id).in_(ids))
        .group_by(Story.shop_id)
    )
    latest = dict(session.exec(told).all())
    for shop in shops:
        last = latest.get(shop.id) or shop.published_at
        if shop.status == ShopStatus.PUBLISHED and last:
            day = _day(datetime.fromisoformat(last) if isinstance(last, str) else last, zone)
            if day + SILENT_FOR <= today:
                yield Reason(shop.id, TaskKind.TELL_A_STORY, str(day), day + SILENT_FOR)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def shops_after(session: Session, after: str, limit: int) -> list[Shop]:
    """Shops in the order of their ids, some at a time."""
    return list(session.exec(select(Shop).where(col(Shop.id) > after).order_by(Shop.id).limit(limit)))


def open_of_shops(session: Session, ids: list[str]) -> list[Task]:
    """The open tasks of shops that facts made, held until the transaction ends."""
    query = select(Task).where(col(Task.shop_id).in_(ids), Task.status == TaskStatus.OPEN)
    return list(session.exec(query.where(Task.kind != TaskKind.STEP).with_for_update()))


def known(session: Session, ids: list[str]) -> set[tuple[str, str, str]]:
    """Which reasons of these shops have made a task already, whatever became of it."""
    query = select(Task.shop_id, Task.kind, Task.about).where(col(Task.shop_id).in_(ids))
    return {(shop, kind, about) for shop, kind, about in session.exec(query)}


def to_do(session: Session, today: date, whose: str | None, limit: int) -> list[tuple[Task, Shop]]:
    """Open tasks that do not sleep, the most urgent first; of one caretaker, or of all."""
    query = (
        select(Task, Shop)
        .join(Shop, col(Task.shop_id) == col(Shop.id))
        .where(
            Task.status == TaskStatus.OPEN,
            or_(col(Task.snoozed_until).is_(None), col(Task.snoozed_until) <= today),
        )
    )
    if whose is not None:
        query = query.where(or_(col(Task.assigned_to).is_(None), Task.assigned_to == whose))
    # What is late goes first, whatever it is.
    order = ((col(Task.due_on) >= today), col(Task.urgency), col(Task.due_on), col(Task.id))
    return [(task, shop) for task, shop in session.exec(query.order_by(*order).limit(limit))]


def task(session: Session, task_id: str) -> Task:
    """A task, held until the transaction ends; NotFound when there is none."""
    found = session.exec(select(Task).where(Task.id == task_id).with_for_update()).first()
    if found is None:
        raise NotFound("task")
    return found


def tasks_of(session: Session, shop_id: str) -> list[Task]:
    """All tasks of a shop, open ones first, the newest first."""
    query = select(Task).where(Task.shop_id == shop_id)
    order = (col(Task.status) != TaskStatus.OPEN, col(Task.id).desc())
    return list(session.exec(query.order_by(*order).limit(200)))


def visits_of(session: Session, shop_id: str) -> list[Visit]:
    """Visits at a shop, the newest first."""
    query = select(Visit).where(Visit.shop_id == shop_id).order_by(col(Visit.starts_at).desc())
    return list(session.exec(query.limit(200)))


def visits_between(session: Session, since: datetime, until: datetime) -> list[tuple[Visit, Shop]]:
    """Visits from one instant to another, in their order."""
    query = select(Visit, Shop).join(Shop, col(Visit.shop_id) == col(Shop.id))
    query = query.where(col(Visit.starts_at) >= since, col(Visit.starts_at) < until).order_by(
        col(Visit.starts_at)
    )
    return [(visit, shop) for visit, shop in session.exec(query.limit(500))]


def visit(session: Session, visit_id: str) -> Visit:
    """A visit; NotFound when there is none."""
    found = session.get(Visit, visit_id)
    if found is None:
        raise NotFound("visit")
    return found


def assessments_of(session: Session, shop_id: str) -> list[Assessment]:
    """How far a shop had come, from the first to the last time it was asked."""
    return list(session.exec(select(Assessment).where(Assessment.shop_id == shop_id).order_by(Assessment.id)))
