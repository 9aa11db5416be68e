"""What is done with the rows of an import of shops: a chunk at a time, and what the source no longer names."""

from pydantic_core import to_json
from sqlmodel import Session, col, select

from libs.imports import queries
from libs.imports.draft import Line
from libs.imports.findings import Finding
from libs.imports.models import Import
from libs.selfservice.proposals.domain import Change, merge
from services.retail.imports.drafts import ShopDraft
from services.retail.shops.commands import publish, revise, take_out
from services.retail.shops.domain import ShopContent, ShopStatus
from services.retail.shops.models import Shop, stored

PRUNE_AT_ONCE = 200


def work(session: Session, order: Import, lines: list[Line[ShopDraft]]) -> None:
    """Take one chunk of rows in; the session's transaction makes it whole."""
    keys = [line.draft.key for line in lines if line.draft.key]
    query = (
        select(Shop)
        .where(Shop.source == order.source, col(Shop.external_id).in_(keys))
        .order_by(Shop.id)
        .with_for_update(key_share=True)
    )
    known = {shop.external_id: shop for shop in session.exec(query)}
    for line in lines:
        shop = known.get(line.draft.key)
        if shop is not None:
            shop.import_id = order.id  # also a broken row's shop is not gone from its source
        if not line.draft.broken and line.draft.content:
            _take(session, order, line.draft, shop)


def _take(session: Session, order: Import, draft: ShopDraft, shop: Shop | None) -> None:
    assert draft.content is not None  # noqa: S101 - asked by `work`
    said = stored(draft.content)
    if shop is None:
        _create(session, order, draft, said)
    else:
        _renew(session, order, draft, shop, said)


def _create(session: Session, order: Import, draft: ShopDraft, said: dict[str, object]) -> None:
    shop = Shop(content={}, source=order.source, external_id=draft.key, imported=said, import_id=order.id)
    shop.say(said)
    session.add(shop)
    publish(session, shop)
    order.created += 1


def _renew(session: Session, order: Import, draft: ShopDraft, shop: Shop, said: dict[str, object]) -> None:
    """Change what the source says anew. Where somebody here said otherwise since, that stays and is reported; a shop
    that somebody took out of the shop window stays out of it, one that its source had only forgotten comes back."""
    merged, kept = merge(shop.imported or {}, said, shop.content)
    draft.findings += [_kept(change) for change in kept]
    before = shop.version
    if shop.status != ShopStatus.WITHDRAWN:
        revise(session, shop, ShopContent.model_validate_json(to_json(merged)))
    elif shop.pruned:
        shop.say(merged)
        shop.pruned = False
        publish(session, shop)
    shop.imported = said
    order.changed += shop.version > before
    order.unchanged += shop.version == before


def _kept(change: Change) -> Finding:
    column, said = ".".join(change.path), None if change.new is ... else str(change.new)[:200]
    return Finding(column, "kept_own", said, severity="notice")


def prune_some(session: Session, import_id: str) -> int:
    """Withdraw shops of the source that this import did not see; returns how many, at most `PRUNE_AT_ONCE`."""
    order = queries.one(session, import_id)
    query = select(Shop).where(
        Shop.source == order.source,
        Shop.status == ShopStatus.PUBLISHED,
        col(Shop.import_id).is_distinct_from(order.id),
    )
    gone = session.exec(query.order_by(Shop.id).limit(PRUNE_AT_ONCE).with_for_update(key_share=True)).all()
    for shop in gone:
        shop.pruned = True
        take_out(session, shop)
    order.withdrawn += len(gone)
    return len(gone)
