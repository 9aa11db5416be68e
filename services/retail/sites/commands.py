"""What is done about construction sites: learn of one, bring the shops up to it a batch at a time, let it be over."""

from datetime import date
from itertools import takewhile

from sqlmodel import Session

from libs.contracts.agenda import SiteFact
from libs.contracts.retail import Notice
from libs.servicekit.db import leave_work
from services.retail.shops.commands import step_all
from services.retail.shops.domain import ShopStatus
from services.retail.shops.models import Shop
from services.retail.sites import queries
from services.retail.sites.domain import around, is_near, notice_of
from services.retail.sites.models import Site, SiteShop

SHOPS_AT_ONCE, SITES_AT_ONCE = 100, 50
FIRST = ""  # before every shop


def learn(session: Session, site_id: str, event_id: str, fact: SiteFact, *, over: bool) -> None:
    """Note a site as the agenda tells it now; a job brings the shops up to it."""
    site = session.get(Site, site_id) or Site(id=site_id, event_id=event_id, said={})
    site.event_id, site.over, site.ends_on = event_id, over, fact.period.end
    site.said = fact.model_dump(mode="json", exclude={"card"}, exclude_defaults=True)
    _begin(session, site)


def _begin(session: Session, site: Site) -> None:
    site.todo_after = FIRST
    session.add(site)
    leave_work(session)


def spread_some(session: Session) -> int:
    """Bring some shops up to a site that is not finished; returns how many, 0 when there is none. It goes no further than
    to the first shop that somebody else holds."""
    site = queries.next_unfinished(session)
    if site is None:
        return 0
    told = site.told
    ids = queries.concerned(session, site, around(told), SHOPS_AT_ONCE)
    held = queries.held(session, ids)
    free = list(takewhile(held.__contains__, ids))
    step_all(session, [shop for shop in map(held.__getitem__, free) if _says_anew(session, shop, site, told)])
    if len(free) == len(ids) < SHOPS_AT_ONCE:
        site.todo_after = None
        return 1
    site.todo_after = free[-1] if free else site.todo_after
    leave_work(session)  # the next round comes soon
    return len(free)


def follow_shop(session: Session, shop: Shop) -> None:
    """A shop came, moved or left: it says something of the sites that are near it now, and of no other."""
    anew = [_says_anew(session, shop, site, site.told) for site in queries.lasting(session)]
    if any(anew):
        step_all(session, [shop])


def _says_anew(session: Session, shop: Shop, site: Site, told: SiteFact) -> bool:
    """Let a shop say of a site what is true of both; whether that is something new."""
    public = shop.status == ShopStatus.PUBLISHED and not site.over
    near = public and shop.lat is not None and shop.lon is not None and is_near(told, (shop.lat, shop.lon))
    others = [each for each in shop.notices if each["cause"]["id"] != site.id]
    said = [*others, _stored(notice_of(told, site.id, site.event_id))] if near else others
    said.sort(key=lambda each: (each["period"].get("start") or "", each["cause"]["id"]))
    if said == shop.notices:
        return False
    had = len(others) < len(shop.notices)
    if near and not had:
        session.add(SiteShop(site_id=site.id, shop_id=shop.id))
    elif had and not near:
        queries.forget(session, site.id, shop.id)
    shop.notices = said
    return True


def _stored(notice: Notice) -> dict[str, object]:
    return notice.model_dump(mode="json")


def end_past(session: Session, today: date) -> int:
    """Let sites be over whose last day has passed; returns how many."""
    found = queries.past(session, today, SITES_AT_ONCE)
    for site in found:
        site.over = True
        _begin(session, site)
    return len(found)
