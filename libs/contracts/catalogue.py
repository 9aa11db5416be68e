"""Every event type there is, by name. A new type is public once its class stands here."""

from libs.contracts import offers
from libs.contracts.event import Fact

_TYPES: tuple[type[Fact], ...] = (
    offers.BoardPublished,
    offers.BoardChanged,
    offers.BoardWithdrawn,
    offers.ProviderPublished,
    offers.ProviderChanged,
    offers.ProviderWithdrawn,
    offers.OfferPublished,
    offers.OfferChanged,
    offers.OfferWithdrawn,
    offers.OfferExpired,
)

CATALOGUE: dict[str, type[Fact]] = {fact.name: fact for fact in _TYPES}


def of_service(service: str) -> dict[str, type[Fact]]:
    """The event types one service publishes."""
    return {name: fact for name, fact in CATALOGUE.items() if fact.part("service") == service}
