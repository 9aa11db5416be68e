"""Reads of construction sites."""

from datetime import date

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from services.retail.shops.models import Shop
from services.retail.sites.domain import Box
from services.retail.sites.models import Site, SiteShop


def next_unfinished(session: Session) -> Site | None:
    """A site whose shops are not all up to it."""
    query = select(Site).where(col(Site.todo_after).is_not(None)).order_by(Site.id).limit(1)
    # Shops that point to it are told of meanwhile.
    return session.exec(query.with_for_update(key_share=True)).first()


def concerned(session: Session, site: Site, box: Box, limit: int) -> list[str]:
    """The ids of shops that may be near a site, or say something of it, after the one it has come to."""
    saying = select(SiteShop.shop_id).where(SiteShop.site_id == site.id)
    near = col(Shop.lat).between(box.south, box.north) & col(Shop.lon).between(box.west, box.east)
    query = select(Shop.id).where(col(Shop.id) > site.todo_after, or_(near, col(Shop.id).in_(saying)))
    return list(session.exec(query.order_by(Shop.id).limit(limit)))


def held(session: Session, ids: list[str]) -> dict[str, Shop]:
    """Those of these shops that nobody else holds, held until the transaction ends. Whoever waited for several at once,
    while an event's transaction holds others, could wait for ever."""
    query = select(Shop).where(col(Shop.id).in_(ids)).order_by(Shop.id)
    return {shop.id: shop for shop in session.exec(query.with_for_update(skip_locked=True, key_share=True))}


def lasting(session: Session) -> list[Site]:
    """Sites that are not over."""
    return list(session.exec(select(Site).where(Site.over == False).order_by(Site.id)))  # noqa: E712 - a column


def past(session: Session, today: date, limit: int) -> list[Site]:
    """Sites whose last day is over though nobody said so."""
    query = select(Site).where(Site.over == False, col(Site.ends_on) < today)  # noqa: E712 - a column
    return list(session.exec(query.limit(limit).with_for_update()))


def forget(session: Session, site_id: str, shop_id: str) -> None:
    """A shop says nothing of a site any more."""
    session.execute(
        delete(SiteShop).where(col(SiteShop.site_id) == site_id, col(SiteShop.shop_id) == shop_id)
    )
