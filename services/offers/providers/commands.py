"""What is done with providers: one function = one transaction of the caller's."""

from sqlmodel import Session

from libs.contracts import offers as events
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, check_version
from libs.town.places import plain
from services.offers.offers import commands as offers
from services.offers.providers import queries
from services.offers.providers.domain import ProviderContent, card
from services.offers.providers.models import Provider


def join(session: Session, content: ProviderContent) -> Provider:
    """A new provider, public at once."""
    provider = Provider(content=content.model_dump(mode="json"))
    session.add(provider)
    publish(session, provider, events.ProviderPublished)
    return provider


def change(session: Session, provider_id: str, expected: int, content: ProviderContent) -> Provider:
    """Replace what is said of a provider; its public offers follow, since they carry its name."""
    provider = queries.locked(session, provider_id)
    check_version(expected, provider.version)
    said = content.model_dump(mode="json")
    if said == provider.content:
        return provider
    renamed = said["title"] != provider.content["title"]
    _move(provider, said)
    publish(session, provider, events.ProviderChanged)
    if renamed:
        offers.republish_of(session, provider)
    return provider


def withdraw(session: Session, provider_id: str, expected: int) -> Provider:
    """A provider leaves; Conflict while it still has public offers."""
    provider = queries.locked(session, provider_id)
    check_version(expected, provider.version)
    if offers.has_published(session, provider_id):
        raise Conflict("The provider still has published offers; withdraw them first.", code="still-in-use")
    provider.active = False
    _move(provider, provider.content)
    publish(session, provider, events.ProviderWithdrawn)
    return provider


def _move(provider: Provider, content: dict[str, object]) -> None:
    provider.content, provider.version, provider.changed_at = content, provider.version + 1, now()


def publish(session: Session, provider: Provider, kind: type[events.ProviderFact]) -> None:
    """Say the provider's present state on the bus."""
    fact = fact_of(provider.said, kind, listed=provider.active)
    outbox.add(session, fact, thing_id=provider.id, version=provider.version)


def fact_of(said: ProviderContent, kind: type[events.ProviderFact], *, listed: bool) -> events.ProviderFact:
    """A provider's present state as a fact."""
    return kind(
        title=said.title,
        kind=said.kind,
        url=said.url,
        place=plain(said.place),
        card=card(said, listed=listed),
    )
