"""Reads for HSDS: pages by number, filtered as its API reference says."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, exists, false, func, or_, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col, select

from libs.httpkit.problems import not_found
from libs.servicekit.db import Database
from services.offers.exports import queries as exports
from services.offers.exports.domain import Shown
from services.offers.hsds.vocabulary import Taxonomy, Term, Vocabulary
from services.offers.offers.models import Offer
from services.offers.offers.queries import public
from services.offers.providers.models import Provider

AT_ONCE = 200
SERVICES_OF_ONE = 1000
METRES_PER_DEGREE = 111_320


@dataclass(frozen=True)
class Asked:
    """What a list is to hold; `located` asks for offers with a place, `postcode` and `metres` where that is."""

    words: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("de",)
    term_id: str | None = None
    taxonomy_id: str | None = None
    organization_id: str | None = None
    modified_after: datetime | None = None
    located: bool = False
    postcode: str | None = None
    metres: float | None = None


def services(
    session: Session, asked: Asked, words: Vocabulary, offset: int, limit: int
) -> tuple[list[Shown], int]:
    """A page of public offers in the order in which they came, and how many there are in all."""
    conditions = _conditions(session, asked, words)
    total = session.exec(select(func.count()).select_from(Offer).where(*conditions)).one()
    query = select(Offer).where(*conditions).order_by(Offer.id).offset(offset).limit(limit)
    return exports.shown(session, session.exec(query).all()), total


def all_services(db: Database, asked: Asked, words: Vocabulary) -> Iterator[list[Shown]]:
    """All of them, a chunk at a time."""
    after = ""
    while True:
        with db.reading() as session:
            conditions = [*_conditions(session, asked, words), col(Offer.id) > after]
            query = select(Offer).where(*conditions).order_by(Offer.id).limit(AT_ONCE)
            found = exports.shown(session, session.exec(query).all())
        if found:
            after = found[-1].id
            yield found
        if len(found) < AT_ONCE:
            return


def organizations(
    session: Session, asked: Asked, words: Vocabulary, offset: int, limit: int
) -> tuple[list[Provider], int]:
    """A page of active providers, and how many there are in all."""
    conditions = _provider_conditions(session, asked, words)
    total = session.exec(select(func.count()).select_from(Provider).where(*conditions)).one()
    query = select(Provider).where(*conditions).order_by(Provider.id).offset(offset).limit(limit)
    return list(session.exec(query)), total


def all_organizations(db: Database, asked: Asked, words: Vocabulary) -> Iterator[list[Provider]]:
    """All of them, a chunk at a time."""
    after = ""
    while True:
        with db.reading() as session:
            conditions = [*_provider_conditions(session, asked, words), col(Provider.id) > after]
            query = select(Provider).where(*conditions).order_by(Provider.id).limit(AT_ONCE)
            found = list(session.exec(query))
        if found:
            after = found[-1].id
            yield found
        if len(found) < AT_ONCE:
            return


def services_of(session: Session, provider_id: str) -> list[Shown]:
    """The public offers of one provider, the first thousand."""
    query = select(Offer).where(public(), Offer.provider_id == provider_id)
    rows = session.exec(query.order_by(Offer.id).limit(SERVICES_OF_ONE)).all()
    return exports.shown(session, rows)


def one(session: Session, offer_id: str) -> Shown:
    """A public offer; Problem 404 when there is none."""
    found = session.exec(select(Offer).where(public(), Offer.id == offer_id)).first()
    if found is None:
        raise not_found("service")
    return exports.shown(session, [found])[0]


def _conditions(session: Session, asked: Asked, words: Vocabulary) -> list[ColumnElement[bool]]:
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
        found.append(_near(session, asked.postcode, asked.metres))
    return found


def _provider_conditions(session: Session, asked: Asked, words: Vocabulary) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [col(Provider.active).is_(True)]
    found += [_says(col(Provider.content), ("title",), asked.languages, word) for word in asked.words]
    if classified := _classified(session, asked, words):
        mine = col(Offer.provider_id) == col(Provider.id)
        found.append(exists(select(Offer.id).where(mine, public(), *classified)))
    return found


def _says(content: Any, parts: tuple[str, ...], languages: tuple[str, ...], word: str) -> ColumnElement[bool]:
    texts = [content[(part, language)].as_string() for part in parts for language in languages]
    return or_(*(text.icontains(word, autoescape=True) for text in texts))


def _classified(session: Session, asked: Asked, words: Vocabulary) -> list[ColumnElement[bool]]:
    """Of a term, of a taxonomy; of one that nobody knows is nothing."""
    found: list[ColumnElement[bool]] = []
    if asked.term_id:
        term = words.terms.get(asked.term_id)
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


def matching(objects: Mapping[str, Any], words: tuple[str, ...]) -> list[Any]:
    """The taxonomies or terms whose names hold all words."""
    return [each for each in objects.values() if all(word.lower() in each.name.lower() for word in words)]
