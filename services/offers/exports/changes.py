"""What changed since an instant, told behind a horizon: nothing is missed, though transactions end out of order."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, text
from sqlmodel import Session, col, select

from services.offers.exports.domain import Filter, Shown
from services.offers.exports.queries import COLUMNS, shown
from services.offers.offers.domain import OfferStatus
from services.offers.offers.models import Offer
from services.offers.offers.queries import public
from services.offers.providers.models import Provider

# How far the clocks of the service's processes and of the database may differ.
CLOCKS_DIFFER = timedelta(seconds=2)
_OLDEST_OPEN = text(
    "SELECT least(min(xact_start), clock_timestamp()) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start IS NOT NULL"
)


def settled(session: Session) -> datetime | None:
    """Before this instant nothing more will appear: no transaction that is still open began earlier. None on SQLite,
    where writers come one after the other, so that what is committed is in the order of its instants."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    oldest: datetime = session.execute(_OLDEST_OPEN).scalar_one()
    return oldest - CLOCKS_DIFFER


def of_offers(
    session: Session, wanted: Filter, since: datetime, after: str, limit: int
) -> tuple[list[Shown], bool]:
    """What was ever public and changed behind (`since`, `after`), in that order; and whether there is more."""
    horizon = settled(session)
    query = select(*COLUMNS).where(_behind(Offer, since, after), _ever_public())
    if wanted.board:
        query = query.where(Offer.board == wanted.board)
    if horizon:
        query = query.where(col(Offer.changed_at) < horizon)
    rows = list(session.exec(query.order_by(col(Offer.changed_at), Offer.id).limit(limit + 1)))
    return shown(session, rows[:limit]), len(rows) > limit


def _ever_public() -> ColumnElement[bool]:
    return or_(
        public(), and_(col(Offer.published_at).is_not(None), col(Offer.status) != OfferStatus.PUBLISHED)
    )


def _behind(table: type[Offer] | type[Provider], since: datetime, after: str) -> ColumnElement[bool]:
    moment = col(table.changed_at)
    return and_(moment >= since, or_(moment > since, col(table.id) > after))


def of_providers(session: Session, since: datetime, after: str, limit: int) -> tuple[list[Provider], bool]:
    """Providers that changed behind (`since`, `after`), those that left among them."""
    horizon = settled(session)
    query = select(Provider).where(_behind(Provider, since, after))
    if horizon:
        query = query.where(col(Provider.changed_at) < horizon)
    rows = list(session.exec(query.order_by(col(Provider.changed_at), Provider.id).limit(limit + 1)))
    return rows[:limit], len(rows) > limit
