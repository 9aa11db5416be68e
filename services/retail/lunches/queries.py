"""Reads of the lunch guide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import cos, radians

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from libs.servicekit.errors import NotFound
from libs.town.places import Point, kilometres
from services.retail.lunches.models import Lunch, Menu
from services.retail.shops.models import Shop

KM_PER_DEGREE = 111.2
FIRST_KM = 0.2


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: lunches of a day, near a point, for a diet, up to a price; `radius_km` bounds how far."""

    day: date
    near: Point | None = None
    radius_km: float = 5
    diets: Sequence[str] = ()
    most_cents: int | None = None


@dataclass(frozen=True)
class Hit:
    """A lunch, whose it is, and how far away."""

    lunch: Lunch
    shop: Shop
    km: float | None


def menu(session: Session, shop_id: str, week: str) -> Menu | None:
    """A shop's menu for a week."""
    return session.get(Menu, (shop_id, week))


def menu_there(session: Session, shop_id: str, week: str, *, lock: bool = False) -> Menu:
    """The same; NotFound when there is none."""
    query = select(Menu).where(Menu.shop_id == shop_id, Menu.week == week)
    found = session.exec(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("menu")
    return found


def latest_before(session: Session, shop_id: str, week: str) -> Menu | None:
    """A shop's newest menu of an earlier week."""
    query = select(Menu).where(Menu.shop_id == shop_id, col(Menu.week) < week)
    return session.exec(query.order_by(col(Menu.week).desc()).limit(1)).first()


def newest(session: Session, shop_id: str) -> Menu | None:
    """A shop's newest menu, of whatever week."""
    query = select(Menu).where(Menu.shop_id == shop_id).order_by(col(Menu.week).desc())
    return session.exec(query.limit(1)).first()


def of_days(session: Session, shop_id: str, days: Sequence[date]) -> dict[date, Lunch]:
    """A shop's lunches on these days, held until the transaction ends."""
    query = select(Lunch).where(Lunch.shop_id == shop_id, col(Lunch.day).in_(days)).with_for_update()
    return {each.day: each for each in session.exec(query)}


def of_day(session: Session, shop_id: str, day: date) -> Lunch:
    """A shop's lunch on a day, held until the transaction ends; NotFound when there is none."""
    query = (
        select(Lunch).where(Lunch.shop_id == shop_id, Lunch.day == day, col(Lunch.listed)).with_for_update()
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound("lunch")
    return found


def menus_since(session: Session, shop_id: str, week: str) -> list[Menu]:
    """A shop's menus from a week on."""
    query = select(Menu).where(Menu.shop_id == shop_id, col(Menu.week) >= week)
    return list(session.exec(query.order_by(Menu.week)))


def over(session: Session, at: datetime, limit: int) -> list[Lunch]:
    """Lunches that are over and still listed, some at a time."""
    query = select(Lunch).where(col(Lunch.listed), col(Lunch.ends_at) <= at).order_by(col(Lunch.ends_at))
    return list(session.exec(query.limit(limit).with_for_update()))


def find(session: Session, wanted: Wanted, limit: int, skip: int) -> list[Hit]:
    """What fits, the nearest first, or without a point by shop; one more than `limit` when there are more."""
    both = select(Lunch, Shop).join(Shop)
    if wanted.near is None:
        query = both.where(*_fits(wanted)).order_by(Lunch.shop_id).offset(skip).limit(limit + 1)
        return [Hit(lunch, shop, None) for lunch, shop in session.exec(query)]
    page = _nearest(session, wanted, wanted.near, skip + limit + 1)[skip:]
    query = both.where(col(Lunch.id).in_([lunch_id for _, lunch_id in page]))
    rows = {lunch.id: (lunch, shop) for lunch, shop in session.exec(query)}
    return [Hit(*rows[lunch_id], km) for km, lunch_id in page if lunch_id in rows]


def _nearest(session: Session, wanted: Wanted, near: Point, needed: int) -> list[tuple[float, str]]:
    """How far, and which: wider and wider, so that whoever is in the middle of town is not measured against everybody."""
    km, found = min(FIRST_KM, wanted.radius_km), list[tuple[float, str]]()
    while True:
        found = sorted(_within(session, wanted, near, km))
        if len(found) >= needed or km >= wanted.radius_km:
            return found[:needed]
        km = min(km * 2, wanted.radius_km)


def _within(session: Session, wanted: Wanted, near: Point, km: float) -> Iterator[tuple[float, str]]:
    north = km / KM_PER_DEGREE
    east = km / (KM_PER_DEGREE * max(cos(radians(near[0])), 0.01))
    query = select(col(Lunch.id), col(Lunch.lat), col(Lunch.lon)).where(
        *_fits(wanted),
        col(Lunch.lat).between(near[0] - north, near[0] + north),
        col(Lunch.lon).between(near[1] - east, near[1] + east),
    )
    for lunch_id, lat, lon in session.exec(query):
        if lat is not None and lon is not None and (away := kilometres(near, (lat, lon))) <= km:
            yield away, lunch_id


def _fits(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """The conditions of what is wanted, without nearness."""
    yield col(Lunch.day) == wanted.day
    yield col(Lunch.listed).is_(True)
    for diet in wanted.diets:
        yield col(Lunch.diets).contains(f"|{diet}|", autoescape=True)
    if wanted.most_cents is not None:
        yield col(Lunch.least_cents) <= wanted.most_cents
