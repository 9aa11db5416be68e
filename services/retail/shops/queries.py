"""Reads of shops, and who may see which."""

from sqlmodel import Session, col, or_, select

from libs.selfservice.members.queries import must_act_for
from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from services.retail.shops.domain import ShopStatus
from services.retail.shops.models import Shop


def page(
    session: Session, caller: Principal | None, limit: int, after: str, status: ShopStatus | None
) -> list[Shop]:
    """Shops the caller may see, in the order in which they came; one more than `limit` when there are more."""
    query = select(Shop).where(col(Shop.id) > after)
    if caller is None or not caller.is_any("editor"):
        own = caller.providers if caller else frozenset[str]()
        query = query.where(or_(Shop.status == ShopStatus.PUBLISHED, col(Shop.id).in_(own)))
    if status is not None:
        query = query.where(Shop.status == status)
    return list(session.exec(query.order_by(Shop.id).limit(limit + 1)))


def one(session: Session, caller: Principal | None, shop_id: str) -> Shop:
    """A shop that the caller may see; NotFound otherwise."""
    found = session.get(Shop, shop_id)
    if found is None or not _may_see(caller, found):
        raise NotFound("shop")
    return found


def own(session: Session, caller: Principal, shop_id: str) -> Shop:
    """A shop that the caller acts for; Forbidden or NotFound otherwise."""
    must_act_for(caller, shop_id)
    return one(session, caller, shop_id)


def known(session: Session, shop_id: str) -> Shop:
    """A shop of ours, whatever its status, as it stands; NotFound when there is none."""
    found = session.get(Shop, shop_id)
    if found is None:
        raise NotFound("shop")
    return found


def locked(session: Session, shop_id: str) -> Shop:
    """A shop, held until the transaction ends; NotFound when there is none."""
    # What points to a shop may be written meanwhile: its key does not change.
    query = select(Shop).where(Shop.id == shop_id).with_for_update(key_share=True)
    found = session.exec(query).first()
    if found is None:
        raise NotFound("shop")
    return found


def acts_for(caller: Principal | None, shop_id: str) -> bool:
    """Whether the caller is an editor or one of the shop's people."""
    return caller is not None and (caller.is_any("editor") or shop_id in caller.providers)


def _may_see(caller: Principal | None, shop: Shop) -> bool:
    if shop.status == ShopStatus.PUBLISHED:
        return True
    return acts_for(caller, shop.id) or (caller is not None and caller.is_any("operator"))
