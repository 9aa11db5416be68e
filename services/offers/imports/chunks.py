"""What a chunk of rows does to its board: gathered first, written at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, insert, inspect, or_, update
from sqlmodel import Session, col, select
from uuid_utils import uuid7

from libs.contracts import offers as events
from libs.contracts.card import Text
from libs.imports.models import Import
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.outbox import Entry
from libs.telemetry import spans
from services.offers.boards.domain import Declaration
from services.offers.bookings import queries as bookings
from services.offers.freshness.domain import Stage
from services.offers.imports.drafts import OfferDraft
from services.offers.imports.targets import NATIVE
from services.offers.offers.domain import Extras, OfferContent, OfferStatus, Stand, is_over
from services.offers.offers.facts import extras_of, fact_of
from services.offers.offers.models import Offer, ends_on, stored
from services.offers.places import queries as places
from services.offers.places.stating import restate_all
from services.offers.providers.commands import fact_of as provider_fact
from services.offers.providers.domain import ProviderContent
from services.offers.providers.models import Provider
from services.offers.sessions import queries as sessions
from services.offers.sessions.facts import tell_untold

Told = tuple[events.OfferFact | events.ProviderFact, str, int]


@dataclass(frozen=True)
class Named:
    """A provider as an offer refers to it."""

    id: str
    title: Text


@dataclass
class Chunk:
    """What one chunk does to the database, gathered before anything is written."""

    order: Import
    board: Declaration
    today: date
    now: datetime = field(default_factory=now)
    providers: dict[str, Named] = field(default_factory=dict)
    exported: dict[str, Named] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    extras: dict[str, Extras] = field(default_factory=dict)
    back: list[Offer] = field(default_factory=list)
    new_providers: list[dict[str, Any]] = field(default_factory=list)
    new_offers: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    facts: list[Told] = field(default_factory=list)
    stated: dict[str, int | None] = field(default_factory=dict)


def gather(
    session: Session, order: Import, board: Declaration, drafts: list[OfferDraft], today: date
) -> Chunk:
    """What drafts without errors come to."""
    chunk = Chunk(order, board, today)
    chunk.providers = _providers(session, order.source, drafts)
    chunk.exported = _exported(session, drafts)
    chunk.offers = _offers(session, order, drafts)
    chunk.extras = _extras(session, chunk, drafts)
    for draft in drafts:
        _take(chunk, draft)
    return chunk


def _providers(session: Session, source: str, drafts: list[OfferDraft]) -> dict[str, Named]:
    names = {_name(draft.provider) for draft in drafts if draft.provider}
    query = select(Provider).where(Provider.source == source, col(Provider.external_id).in_(names))
    return {str(found.external_id): Named(found.id, found.content["title"]) for found in session.exec(query)}


def _exported(session: Session, drafts: list[OfferDraft]) -> dict[str, Named]:
    """The providers that an export names by their ids."""
    ids = {draft.provider_id for draft in drafts if draft.provider_id}
    query = select(Provider).where(col(Provider.id).in_(ids), col(Provider.active))
    found = session.exec(query) if ids else ()
    return {each.id: Named(each.id, each.content["title"]) for each in found}


def _offers(session: Session, order: Import, drafts: list[OfferDraft]) -> dict[str, Offer]:
    """The offers that rows mean, by the rows' keys: those of the source; unless one is named, those of any by their id,
    so that an export goes back in as itself."""
    keys = [draft.key for draft in drafts]
    means = and_(col(Offer.source) == order.source, col(Offer.external_id).in_(keys))
    if order.source == NATIVE:
        means = or_(means, col(Offer.id).in_({each for draft in drafts for each in _ids(draft)}))
    query = select(Offer).where(Offer.board == order.into, means).with_for_update()
    offers = list(session.exec(query))
    of_source = {offer.external_id: offer for offer in offers if offer.source == order.source}
    by_id = {offer.id: offer for offer in offers} if order.source == NATIVE else {}
    found = {
        draft.key: next((by_id[each] for each in _ids(draft) if each in by_id), of_source.get(draft.key))
        for draft in drafts
    }
    return {key: offer for key, offer in found.items() if key and offer}


def _ids(draft: OfferDraft) -> list[str]:
    return [each for each in (draft.offer_id, draft.key) if each]


def _extras(session: Session, chunk: Chunk, drafts: list[OfferDraft]) -> dict[str, Extras]:
    said = {
        chunk.offers[draft.key].id: draft.content
        for draft in drafts
        if draft.key in chunk.offers and draft.content
    }
    ids = list(said)
    having = sessions.having(session, ids) | places.having(session, ids) | bookings.having_terms(session, ids)
    return {offer_id: extras_of(session, offer_id, chunk.board, said[offer_id]) for offer_id in having}


def _name(provider: ProviderContent) -> str:
    """By what a source tells its providers apart."""
    return " ".join(next(iter(provider.title.values())).casefold().split())[:200]


def _take(chunk: Chunk, draft: OfferDraft) -> None:
    content = draft.content
    assert content is not None and draft.key is not None  # noqa: S101 - a draft without errors has both
    known = chunk.offers.get(draft.key)
    provider = _provider(chunk, draft, known)
    if known is None:
        _create(chunk, draft.key, content, provider)
    elif _same(known, content, provider):
        chunk.order.unchanged += 1
        chunk.seen.append(known.id)
    else:
        _change(chunk, known, content, provider)


def _provider(chunk: Chunk, draft: OfferDraft, known: Offer | None) -> Named | None:
    if draft.provider is None:
        return None
    own = chunk.exported.get(draft.provider_id or "")
    return own if own and _is_own(chunk, own, draft.provider, known) else _of_source(chunk, draft.provider)


def _is_own(chunk: Chunk, own: Named, said: ProviderContent, known: Offer | None) -> bool:
    """Whether a row means the provider that an export names by its id: as long as it still calls it so."""
    theirs = chunk.order.source == NATIVE or (known is not None and known.provider_id == own.id)
    return theirs and not set(said.title.values()).isdisjoint(own.title.values())


def _of_source(chunk: Chunk, said: ProviderContent) -> Named:
    name = _name(said)
    known = chunk.providers.get(name)
    if known is None:
        known = chunk.providers[name] = Named(str(uuid7()), said.title)
        row = {"id": known.id, "content": said.model_dump(mode="json"), "active": True, "version": 1}
        chunk.new_providers.append(
            row | {"source": chunk.order.source, "external_id": name, "changed_at": chunk.now}
        )
        chunk.facts.append((provider_fact(said, events.ProviderPublished, listed=True), known.id, 1))
    return known


def _create(chunk: Chunk, key: str, content: OfferContent, provider: Named | None) -> None:
    over = is_over(content, chunk.today)
    status = OfferStatus.EXPIRED if over else OfferStatus.PUBLISHED
    published = None if over else chunk.now
    provider_id = provider.id if provider else None
    stand = Stand(
        chunk.order.into,
        provider_id,
        status,
        published,
        chunk.now,
        checked_on=chunk.today,
        checked_as=events.CheckedAs.IMPORT,
    )
    offer_id = str(uuid7())
    # Making a mapped instance would cost more than all the rest of a row; `Offer` has the same columns.
    chunk.new_offers.append(
        vars(stand)
        | {"id": offer_id, "version": 1, "content": stored(content), "ends_on": ends_on(content)}
        | {"source": chunk.order.source, "external_id": key, "import_id": chunk.order.id, "pruned": False}
        | {"created_at": chunk.now, "fresh_since": chunk.now}
    )
    chunk.order.created += 1
    if not over:
        _tell(chunk, stand, content, provider, events.OfferPublished, offer_id, 1)


def _same(known: Offer, content: OfferContent, provider: Named | None) -> bool:
    provider_id = provider.id if provider else None
    unmoved = not known.pruned and not known.overdue
    return known.content == stored(content) and known.provider_id == provider_id and unmoved


def _change(chunk: Chunk, offer: Offer, content: OfferContent, provider: Named | None) -> None:
    """Take the row's new state over, which counts as a check. An offer that an editor withdrew stays withdrawn;
    a pruned or hidden one comes back."""
    if offer.content.get("free_places") != content.free_places:
        _restate(chunk, offer.id, content.free_places)
    offer.say(content)
    offer.provider_id, offer.import_id = provider.id if provider else None, chunk.order.id
    offer.version, offer.changed_at = offer.version + 1, now()
    offer.vouch(events.CheckedAs.IMPORT, chunk.today)
    chunk.order.changed += 1
    if offer.status == OfferStatus.PUBLISHED:
        _tell(chunk, offer.stand, content, provider, events.OfferChanged, offer.id, offer.version)
    elif (offer.pruned or offer.status in (OfferStatus.EXPIRED, OfferStatus.HIDDEN)) and not is_over(
        content, chunk.today
    ):
        offer.status, offer.published_at, offer.pruned = OfferStatus.PUBLISHED, now(), False
        _tell(chunk, offer.stand, content, provider, events.OfferPublished, offer.id, offer.version)
        chunk.back.append(offer)


def _restate(chunk: Chunk, offer_id: str, free: int | None) -> None:
    """What the source newly states as free is what bookings count down, unless its dates are counted."""
    known = chunk.extras.get(offer_id)
    if known and known.spans is None:
        chunk.stated[offer_id] = free
        chunk.extras[offer_id] = replace(known, free_places=free)


def _tell(
    chunk: Chunk,
    stand: Stand,
    content: OfferContent,
    provider: Named | None,
    kind: type[events.OfferFact],
    offer_id: str,
    version: int,
) -> None:
    title, extras = provider.title if provider else None, chunk.extras.get(offer_id)
    fact = fact_of(stand, content, chunk.board, title, kind, extras=extras)
    chunk.facts.append((fact, offer_id, version))


def write(session: Session, chunk: Chunk) -> None:
    """Put all of it into the database, and on its way to the bus."""
    # Plain inserts: the unit of work would cost more than all the rest of an import.
    for table, new in ((_table(Provider), chunk.new_providers), (_table(Offer), chunk.new_offers)):
        if new:
            session.execute(insert(table), new)
    if chunk.seen:
        # A row that is still in its source makes its offer younger; that alone is nothing to tell.
        values = {"import_id": chunk.order.id, "fresh_since": chunk.now, "stage": Stage.FRESH}
        session.execute(update(Offer).where(col(Offer.id).in_(chunk.seen)).values(values))
    restate_all(session, chunk.stated)
    tell(session, chunk.facts)
    for offer in chunk.back:
        tell_untold(session, offer)


def _table(model: type[Provider | Offer]) -> Any:
    return inspect(model).local_table


def tell(session: Session, facts: Iterable[Told]) -> None:
    """Publish many facts, of which one is traced."""
    outbox.add_all(session, list(_entries(facts)))


def _entries(facts: Iterable[Told]) -> Iterator[Entry]:
    """One row of each chunk is traced to its end; the others would only say the same a thousand times."""
    parent = spans.traceparent()
    for fact, thing_id, version in facts:
        yield Entry(fact, thing_id, version, parent)
        parent = spans.quiet(parent)
