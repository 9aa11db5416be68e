"""What is done with the rows of an import of offers: a chunk at a time, prune."""

from datetime import date

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from libs.contracts import offers as events
from libs.imports import queries
from libs.imports.draft import Line
from libs.imports.models import Import
from libs.servicekit.db import now
from services.offers.boards.domain import Declaration
from services.offers.imports.chunks import Told, gather, tell, write
from services.offers.imports.drafts import OfferDraft
from services.offers.imports.targets import NATIVE
from services.offers.offers.domain import RELEASED, OfferStatus
from services.offers.offers.facts import fact_of
from services.offers.offers.models import Offer
from services.offers.providers.models import Provider

PRUNE_AT_ONCE = 200
PRUNED = "no longer in the source"


def work(
    session: Session, order: Import, board: Declaration, lines: list[Line[OfferDraft]], today: date
) -> None:
    """Take one chunk of rows into the board; the session's transaction makes it whole."""
    write(
        session, gather(session, order, board, [line.draft for line in lines if not line.draft.broken], today)
    )
    _spare(session, order, [line.draft for line in lines if line.draft.broken])


def _spare(session: Session, order: Import, broken: list[OfferDraft]) -> None:
    """The offer of a broken row is not gone from its source: `prune` must leave it alone."""
    keys = [draft.key for draft in broken if draft.key]
    if keys:
        named = or_(
            col(Offer.external_id).in_(keys), col(Offer.id).in_(keys if order.source == NATIVE else [])
        )
        mine = update(Offer).where(col(Offer.board) == order.into, col(Offer.source) == order.source, named)
        session.execute(mine.values(import_id=order.id))


def prune_some(session: Session, import_id: str, board: Declaration) -> int:
    """Withdraw public offers of the source that this import did not see; returns how many, at most `PRUNE_AT_ONCE`."""
    order = queries.one(session, import_id)
    query = select(Offer).where(
        Offer.board == order.into,
        Offer.source == order.source,
        col(Offer.status).in_(RELEASED),
        col(Offer.import_id).is_distinct_from(order.id),
    )
    gone = session.exec(query.limit(PRUNE_AT_ONCE).with_for_update()).all()
    facts: list[Told] = []
    for offer in gone:
        offer.status, offer.pruned = OfferStatus.WITHDRAWN, True
        offer.version, offer.changed_at = offer.version + 1, now()
        provider = session.get(Provider, offer.provider_id) if offer.provider_id else None
        title = provider.content["title"] if provider else None
        fact = fact_of(offer.stand, offer.said, board, title, events.OfferWithdrawn, PRUNED)
        facts.append((fact, offer.id, offer.version))
    order.withdrawn += len(gone)
    tell(session, facts)
    return len(gone)
