"""Rules of providers: what is said of an organisation in public, and how it is found."""

from libs.contracts.address import WebAddress
from libs.contracts.card import Card, Word
from libs.servicekit.values import Body, Said
from libs.town.places import SaidPlace, plain


class ProviderContent(Body):
    """What is public about a provider: an organisation, never a private person."""

    title: Said
    kind: Word | None = None
    url: WebAddress | None = None
    place: SaidPlace | None = None


def card(content: ProviderContent, *, listed: bool) -> Card:
    """How the provider is found."""
    return Card(
        kind="provider",
        title=content.title,
        tags=[content.kind] if content.kind else [],
        place=plain(content.place),
        url=content.url,
        listed=listed,
    )
