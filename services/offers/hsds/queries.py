"""Reads for HSDS: pages by number, filtered as its API reference says."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Text, and_, cast, exists, false, func, or_, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col, select

from libs.servicekit.db import Database
from libs.servicekit.errors import NotFound
from services.offers.exports import queries as exports
from services.offers.exports.domain import Shown
from services.offers.hsds.vocabulary import Taxonomy, Term, Vocabulary
from services.offers.offers.models import Offer
from services.offers.offers.queries import public
from services.offers.providers.models import Provider

AT_ONCE, AT_ONCE_NESTED = 200, 20
SERVICES_OF_ONE = 1000
METRES_PER_DEGREE = 111_320
T = TypeVar("T")
Conditions = list[ColumnElement[bool]]
Organization = tuple[Provider, list[Shown]]


@dataclass(frozen=True)
class Asked:
    """What a list is to hold; `located` asks for offers with a place, in a `postcode` or, with
    `proximity`, so many metres around its middle."""

    words: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("de",)
    taxonomy_term_id: str | None = None
    taxonomy_id: str | None = None
    organization_id: str | None = None
    modified_after: datetime | None = None
    located: bool = False
    postcode: str | None = None
    proximity: float | None = None


@dataclass(frozen=True)
class Rows(Generic[T]):
    """The rows of a table under conditions, in the order in which they came, and as what they are read."""

    table: type[Offer] | type[Provider]
    where: Callable[[Session], Conditions]
    read: Callable[[Session, Sequence[Any]], list[T]]
    at_once: int = AT_ONCE

    def page(self, session: Session, offset: int, limit: int) -> tuple[list[T], int]:
        """Some of them, and how many there are in all."""
        conditions = self.where(session)
        total = session.exec(select(func.count()).select_from(self.table).where(*conditions)).one()
        query = select(self.table).where(*conditions).order_by(self.table.id)
        return self.read(session, session.exec(query.offset(offset).limit(limit)).all()), total

    def chunks(self, db: Database) -> Iterator[list[T]]:
        """All of them, each chunk a look of its own at the database."""
        after = ""
        while True:
            with db.reading() as session:
                query = select(self.table).where(*self.where(session), col(self.table.id) > after)
                rows: Sequence[Any] = session.exec(query.order_by(self.table.id).limit(self.at_once)).all()
                found = self.read(session, rows)
            if rows:
                after = rows[-1].id
                yield found
            if len(rows) < self.at_once:
                return


def services(asked: Asked, words: Vocabulary) -> Rows[Shown]:
    """Public offers."""
    return Rows(Offer, partial(_conditions, asked=asked, words=words), exports.shown)


def organizations(asked: Asked, words: Vocabulary, *, full: bool) -> Rows[Organization]:
    """Active providers, each with its public offers when they are wanted in full."""

    def read(session: Session, rows: Sequence[Provider]) -> list[Organization]:
        return [(each, services_of(session, each.id) if full else []) for each in rows]

    where = partial(_provider_conditions, asked=asked, words=words)
    return Rows(Provider, where, read, AT_ONCE_NESTED if full else AT_ONCE)


def services_of(session: Session, provider_id: str) -> list[Shown]:
    """The public offers of one provider, the first thousand."""
    query = select(Offer).where(public(), Offer.provider_id == provider_id)
    rows = session.exec(query.order_by(Offer.id).limit(SERVICES_OF_ONE)).all()
    return exports.shown(session, rows)


def one(session: Session, offer_id: str) -> Shown:
    """A public offer; NotFound when there is none."""
    found = session.exec(select(Offer).where(public(), Offer.id == offer_id)).first()
    if found is None:
        raise NotFound("service")
    return exports.shown(session, [found])[0]


def _conditions(session: Session, asked: Asked, words: Vocabulary) -> Conditions:
    said = col(Offer.content)
    found = [public(), *_classified(session, asked, words)]
    found += [_says(said, ("title", "summary", "text"), asked.languages, word) for word in asked.words]
    if asked.organization_id:
        found.append(col(Offer.provider_id) == asked.organization_id)
    if asked.modified_after:
        found.append(col(Offer.changed_at) >= asked.modified_after)
    if asked.located:
        found.append(said["place"].as_string().is_not(None))
    if asked.postcode:
        found.append(_near(session, asked.postcode, asked.proximity))
    return found


def _provider_conditions(session: Session, asked: Asked, words: Vocabulary) -> Conditions:
    found: Conditions = [col(Provider.active).is_(True)]
    found += [_says(col(Provider.content), ("title",), asked.languages, word) for word in asked.words]
    if classified := _classified(session, asked, words):
        mine = col(Offer.provider_id) == col(Provider.id)
        found.append(exists(select(Offer.id).where(mine, public(), *classified)))
    return found


def _says(content: Any, parts: tuple[str, ...], languages: tuple[str, ...], word: str) -> ColumnElement[bool]:
    texts = [content[(part, language)].as_string() for part in parts for language in languages]
    return or_(*(text.icontains(word, autoescape=True) for text in texts))


def _classified(session: Session, asked: Asked, words: Vocabulary) -> Conditions:
    """Of a term, of a taxonomy; of one that nobody knows is nothing."""
    found: Conditions = []
    if asked.taxonomy_term_id:
        term = words.terms.get(asked.taxonomy_term_id)
        found.append(_of_term(session, term) if term else false())
    if asked.taxonomy_id:
        taxonomy = words.taxonomies.get(asked.taxonomy_id)
        found.append(_of_taxonomy(taxonomy) if taxonomy else false())
    return found


def _of_term(session: Session, term: Term) -> ColumnElement[bool]:
    taxonomy = term.taxonomy
    if taxonomy.field is None:
        return col(Offer.board) == term.code
    return and_(_of_taxonomy(taxonomy), _holds(session, taxonomy.field, term.code))


def _of_taxonomy(taxonomy: Taxonomy) -> ColumnElement[bool]:
    if taxonomy.field is None:
        return true()
    value = col(Offer.content)[("fields", taxonomy.field)].as_string()
    return and_(col(Offer.board) == taxonomy.board, value.is_not(None), value != "[]")


def _holds(session: Session, field: str, value: str) -> ColumnElement[bool]:
    """Whether a choice is the value, or a list of choices has it among them."""
    if session.get_bind().dialect.name == "postgresql":
        chosen: Any = cast(col(Offer.content)[("fields", field)], JSONB)
        among: ColumnElement[bool] = chosen.contains(func.to_jsonb(cast(value, Text)))
        return among
    each = func.json_each(Offer.content, f'$.fields."{field}"').table_valued("value")
    return exists(select(each.c.value).where(each.c.value == value))


def _near(session: Session, postcode: str, metres: float | None) -> ColumnElement[bool]:
    """In a postcode; with metres, so far around the middle of all that is known to lie in it."""
    place = col(Offer.content)
    inside: ColumnElement[bool] = place[("place", "postcode")].as_string() == postcode
    if metres is None:
        return inside
    lat, lon = (place[("place", name)].as_float() for name in ("lat", "lon"))
    middle = session.execute(select(func.avg(lat), func.avg(lon)).where(public(), inside)).one()
    if middle[0] is None:
        return false()
    # A degree of longitude is the shorter the further north; over a town's distances the earth is flat.
    north, east = lat - float(middle[0]), (lon - float(middle[1])) * math.cos(math.radians(float(middle[0])))
    within: ColumnElement[bool] = north * north + east * east <= (metres / METRES_PER_DEGREE) ** 2
    return within
