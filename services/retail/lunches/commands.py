"""What is done with menus and lunches: one function = one transaction of the caller's, with the facts it causes."""

from datetime import date, datetime, timedelta

from sqlalchemy import inspect
from sqlmodel import Session

from libs.contracts import retail as events
from libs.selfservice.members.queries import must_act_for
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, FieldError, Invalid, NotFound, check_version
from libs.servicekit.principal import Principal
from libs.town.calendar import Calendar
from services.retail.lunches import queries
from services.retail.lunches.domain import (
    Dish,
    WeekMenu,
    diets_of,
    fact,
    instant,
    is_served,
    least,
    monday_of,
    repeated,
    served,
    strays,
    week_of,
)
from services.retail.lunches.models import Lunch, Menu, Window
from services.retail.lunches.words import here
from services.retail.shops import queries as shops
from services.retail.shops.domain import ShopStatus
from services.retail.shops.models import Shop

END_AT_ONCE = 200


def say(
    session: Session,
    actor: Principal,
    shop_id: str,
    week: str,
    expected: int,
    menu: WeekMenu,
    calendar: Calendar,
    *,
    confirmed: bool,
) -> Menu:
    """Say what a shop serves in a week, all of it; shown from now on if it is confirmed. `expected` is the version that
    is replaced, 0 where there is no menu yet."""
    shop = _held(session, actor, shop_id)
    _check(menu, week)
    kept = queries.menu(session, shop_id, week)
    check_version(expected, kept.version if kept else 0)
    kept = kept or Menu(shop_id=shop_id, week=week, content={})
    kept.say(menu)
    kept.confirmed, kept.version = confirmed, expected + 1
    session.add(kept)
    show(session, shop, kept, calendar)
    return kept


def _check(menu: WeekMenu, week: str) -> None:
    if astray := strays(menu, week):
        named = ", ".join(str(day) for day in astray)
        reason, values = f"{named} do not lie in {week}", {"days": named, "week": week}
        raise Invalid(FieldError(field="days", reason=reason, code="other-week", values=values))
    here().check(menu.dishes())


def repeat(session: Session, actor: Principal, shop_id: str, week: str) -> Menu:
    """Take over the newest earlier menu for a week that has none; it is shown once somebody confirms it."""
    _held(session, actor, shop_id)
    if queries.menu(session, shop_id, week):
        raise Conflict("There is a menu for this week already.", code="menu-exists", week=week)
    before = queries.latest_before(session, shop_id, week)
    if before is None:
        raise NotFound("menu")
    kept = Menu(shop_id=shop_id, week=week, content={})
    kept.say(repeated(before.said, week))
    session.add(kept)
    return kept


def confirm(session: Session, actor: Principal, shop_id: str, week: str, calendar: Calendar) -> Menu:
    """Say that a menu is right as it stands; it is shown from now on."""
    shop = _held(session, actor, shop_id)
    kept = queries.menu_there(session, shop_id, week, lock=True)
    if not kept.confirmed:
        kept.confirmed, kept.version = True, kept.version + 1
        show(session, shop, kept, calendar)
    return kept


def sell_out(
    session: Session, actor: Principal, shop_id: str, day: date, dish: int | None, *, gone: bool
) -> Lunch:
    """Say that a dish of a day, by its place, is sold out or there again; without a place all of them."""
    shop = _held(session, actor, shop_id)
    lunch = queries.of_day(session, shop_id, day)
    dishes = lunch.served
    if dish is not None and dish >= len(dishes):
        values = {"dishes": str(len(dishes))}
        reason = f"there are {len(dishes)}, counted from 0"
        raise Invalid(FieldError(field="dish", reason=reason, code="dish-unknown", values=values))
    changed = [
        each.model_copy(update={"sold_out": gone}) if dish in (None, place) else each
        for place, each in enumerate(dishes)
    ]
    if changed != dishes:
        _serve(lunch, changed)
        lunch.version += 1
        tell(session, shop, lunch, events.LunchChanged)
    return lunch


def show(session: Session, shop: Shop, menu: Menu, calendar: Calendar) -> None:
    """Bring the guide to what a menu and its shop say: its days are told, changed or taken back."""
    said, monday = menu.said, monday_of(menu.week)
    days = [monday + timedelta(days=number) for number in range(7)]
    known = queries.of_days(session, shop.id, days)
    wanted = dict(served(said)) if menu.confirmed and shop.status == ShopStatus.PUBLISHED else {}
    for day in days:
        dishes = wanted.get(day, [])
        window = instant(day, said.start, calendar.zone), instant(day, said.end, calendar.zone)
        if dishes and window[1] > now() and is_served(shop.said, day, said.start, said.end, calendar):
            lunch = known.get(day) or Lunch.on(shop.id, day, window)
            _show_day(session, shop, lunch, window, dishes)
        elif day in known and known[day].listed:
            _end(session, shop, known[day])


def _show_day(session: Session, shop: Shop, lunch: Lunch, window: Window, dishes: list[Dish]) -> None:
    new = inspect(lunch).transient
    before = lunch.model_dump(exclude={"version"}) if lunch.listed and not new else None
    lunch.starts_at, lunch.ends_at = window
    place = shop.said.place
    lunch.lat, lunch.lon = (place.lat, place.lon) if place else (None, None)
    lunch.listed, lunch.shop_version = True, shop.version
    _serve(lunch, [_as_before(dish, lunch.served) for dish in dishes])
    session.add(lunch)
    if before != lunch.model_dump(exclude={"version"}):
        lunch.version += not new
        tell(session, shop, lunch, events.LunchChanged if before else events.LunchPublished)


def _as_before(dish: Dish, served_before: list[Dish]) -> Dish:
    """What is sold out stays sold out, whatever else is said of a day."""
    gone = any(each.sold_out and each.title == dish.title for each in served_before)
    return dish.model_copy(update={"sold_out": True}) if gone else dish


def _serve(lunch: Lunch, dishes: list[Dish]) -> None:
    lunch.dishes = [dish.model_dump(mode="json", exclude_defaults=True) for dish in dishes]
    lunch.diets = f"|{'|'.join(diets_of(dishes))}|"
    lunch.least_cents = least(dishes)


def follow_shop(session: Session, shop: Shop, today: date, calendar: Calendar) -> None:
    """A shop moved, was renamed, has other hours, left or came back: its lunches to come say so."""
    for menu in queries.menus_since(session, shop.id, week_of(today)):
        show(session, shop, menu, calendar)


def end_some(session: Session, at: datetime) -> int:
    """Take lunches that are over out of the guide; returns how many."""
    gone = queries.over(session, at, END_AT_ONCE)
    for lunch in gone:
        shop = shops.known(session, lunch.shop_id)
        _end(session, shop, lunch)
    return len(gone)


def _end(session: Session, shop: Shop, lunch: Lunch) -> None:
    lunch.listed, lunch.version = False, lunch.version + 1
    tell(session, shop, lunch, events.LunchWithdrawn)


def tell(session: Session, shop: Shop, lunch: Lunch, kind: type[events.LunchFact]) -> None:
    """Say a lunch's present state on the bus."""
    window = (lunch.starts_at, lunch.ends_at)
    near = sorted({notice.kind for notice in shop.standing.notices})
    told = fact(shop.id, shop.said, lunch.day, window, lunch.served, kind, near)
    outbox.add(session, told, thing_id=lunch.id, version=lunch.version)


def _held(session: Session, actor: Principal, shop_id: str) -> Shop:
    shop = shops.locked(session, shop_id)
    must_act_for(actor, shop.id)
    return shop
