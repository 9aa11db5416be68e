"""Reads of exports: offers and providers in chunks, and what they depend on.

A chunk is a look of its own at the database, so that a slow reader holds no transaction open.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, true
from sqlmodel import Session, col, select

from libs.contracts.offers import SessionStatus
from libs.servicekit.db import Database, now
from libs.servicekit.settings import Settings
from services.offers.boards import queries as boards
from services.offers.boards.models import Board
from services.offers.bookings.queries import closed
from services.offers.exports.domain import Filter, Occasion, Shown
from services.offers.exports.frame import Frame
from services.offers.offers.models import Offer
from services.offers.offers.queries import public
from services.offers.places.models import Stock
from services.offers.places.queries import left
from services.offers.providers.models import Provider
from services.offers.sessions.models import OfferSession

AT_ONCE = 500
PAST_SHOWN = timedelta(days=30)


def chunks(db: Database, wanted: Filter, at_once: int = AT_ONCE) -> Iterator[list[Shown]]:
    """The public offers that a filter admits, oldest first."""
    after = ""
    while True:
        with db.reading() as session:
            rows = _rows(session, wanted, after, at_once)
            found = shown(session, [row for row in rows if wanted.admits(row.content)], keyed=wanted.keyed)
        if rows:
            after = rows[-1].id
            yield found
        if len(rows) < at_once:
            return


COLUMNS: tuple[Any, ...] = (
    Offer.id,
    Offer.board,
    Offer.version,
    Offer.status,
    Offer.external_id,
    Offer.provider_id,
    Offer.published_at,
    Offer.changed_at,
    Offer.checked_on,
    Offer.content,
)


def _rows(session: Session, wanted: Filter, after: str, limit: int) -> list[Any]:
    query = select(*COLUMNS).where(*_conditions(wanted), col(Offer.id) > after)
    return list(session.exec(query.order_by(Offer.id).limit(limit)))


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found = [public()]
    equal = {Offer.board: wanted.board, Offer.provider_id: wanted.provider_id, Offer.source: wanted.source}
    found += [col(column) == value for column, value in equal.items() if value is not None]
    if wanted.updated_since:
        found.append(col(Offer.changed_at) >= wanted.updated_since)
    return found


def _providers(session: Session, rows: Sequence[Any]) -> dict[str, Any]:
    ids = {row.provider_id for row in rows if row.provider_id}
    query = select(Provider.id, Provider.content).where(col(Provider.id).in_(ids))
    return {row[0]: row[1] for row in session.exec(query)} if ids else {}


def frame(session: Session, settings: Settings, lang: str, board: str | None = None) -> Frame:
    """What all rows of an export share, texts preferably in a language."""
    town = settings.town
    declared = {each.slug: each.declared for each in boards.all_open(session)}
    asked_for = declared.get(board or "")
    usual = [*town["languages"], *(asked_for.languages if asked_for else [])]
    return Frame(
        boards=declared,
        languages=list(dict.fromkeys(usual)),
        spoken=list(dict.fromkeys([lang, *town["languages"]])),
        town=town["name"],
        base=settings.public_url,
        portal=settings.portal,
        today=datetime.now(ZoneInfo(town["timezone"])).date(),
        board=asked_for,
        zone=town["timezone"],
        country=town.get("country", ""),
        state=town.get("state", ""),
        accessibility=town.get("accessibility", {}),
    )


def shown(session: Session, rows: Sequence[Any], *, keyed: bool = False) -> list[Shown]:
    """Offers as exports see them, with what other parts of the service know of them."""
    ids = [row.id for row in rows]
    providers, counted, sessions = (
        _providers(session, rows),
        left(session, closed(session, rows)),
        _sessions(session, ids),
    )
    return [
        Shown(
            id=row.id,
            key=row.external_id if keyed else row.id,
            board=row.board,
            version=row.version,
            status=row.status,
            published_at=row.published_at,
            changed_at=row.changed_at,
            checked_on=row.checked_on,
            content=row.content,
            provider_id=row.provider_id,
            provider=providers.get(row.provider_id),
            sessions=tuple(sessions.get(row.id, ())),
            counted=counted.get(row.id),
        )
        for row in rows
    ]


def _sessions(session: Session, ids: list[str]) -> dict[str, list[Occasion]]:
    """The dates of each offer, from those that ended not long ago on."""
    table = OfferSession
    query = select(table).where(col(table.offer_id).in_(ids), col(table.ends_at) > now() - PAST_SHOWN)
    found: dict[str, list[Occasion]] = {}
    for row in session.exec(query.order_by(col(table.starts_at), col(table.id))):
        found.setdefault(row.offer_id, []).append(_occasion(row))
    return found


def occasion(session: Session, session_id: str) -> Occasion:
    """One date, however long ago it was."""
    return _occasion(session.get_one(OfferSession, session_id))


def _occasion(row: OfferSession) -> Occasion:
    cancelled = row.status == SessionStatus.CANCELLED
    return Occasion(row.id, row.starts_at, row.ends_at, cancelled, row.reason, row.venue, row.version)


def languages(session: Session, wanted: Filter, path: str) -> set[str]:
    """The languages in which the admitted offers say `path`, such as `title`."""
    keys = _keys(session, Offer.content, path)
    query = select(keys.c.key).select_from(Offer).join(keys, true())
    return set(session.exec(query.where(*_conditions(wanted)).distinct()))


def provider_languages(session: Session, wanted: Filter) -> set[str]:
    """The languages in which the providers of the admitted offers are named."""
    keys = _keys(session, Provider.content, "title")
    theirs = select(Offer.provider_id).where(*_conditions(wanted))
    query = select(keys.c.key).select_from(Provider).join(keys, true()).where(col(Provider.id).in_(theirs))
    return set(session.exec(query.distinct()))


def _keys(session: Session, content: Any, path: str) -> Any:
    """The names in the object at a path of a content."""
    if session.get_bind().dialect.name == "postgresql":
        found = col(content)[tuple(path.split("."))]
        return func.json_object_keys(found).table_valued("key").render_derived()
    return func.json_each(content, f"$.{path}").table_valued("key")


def fingerprint(session: Session, wanted: Filter) -> str:
    """What an export of the filter depends on: it changes whenever the export would."""
    versions = [
        *session.exec(_state(Offer.version, Offer.changed_at).where(*_conditions(wanted))),
        *session.exec(_state(Provider.version, Provider.changed_at)),
        *session.exec(_state(Board.version, Board.changed_at)),
        *session.exec(_state(OfferSession.version, OfferSession.changed_at)),
        *session.exec(_state(Stock.version, Stock.as_of)),
    ]
    return hashlib.sha256(repr([tuple(row) for row in versions]).encode()).hexdigest()[:32]


def _state(version: Any, changed_at: Any) -> Any:
    return select(func.count(), func.sum(version), func.max(changed_at))


def provider_chunks(db: Database, at_once: int = AT_ONCE) -> Iterator[list[Provider]]:
    """The active providers, oldest first."""
    after = ""
    while True:
        with db.reading() as session:
            query = select(Provider).where(col(Provider.active), col(Provider.id) > after)
            rows = list(session.exec(query.order_by(Provider.id).limit(at_once)))
        if rows:
            after = rows[-1].id
            yield rows
        if len(rows) < at_once:
            return
