"""Rules of providers: what is said of an organisation in public, and how it is found."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from libs.contracts import card as cards
from libs.contracts.address import WebAddress
from libs.contracts.card import Card, Text, Word
from libs.servicekit.values import Body


def _said(value: Text) -> Text:
    if not any(text.strip() for text in value.values()):
        raise ValueError("needs a text in at least one language")
    return value


Said = Annotated[Text, AfterValidator(_said)]


def _with_a_point(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("is a number with a point, such as 50.2587, without quotes")  # noqa: TRY004 -- pydantic's way
    return value


class SaidPlace(cards.Place, Body):
    """Where something is. Latitude and longitude come together or not at all: the edges ask for that, since what is stored
    may be older than the rule."""

    lat: Annotated[float | None, Field(ge=-90, le=90), BeforeValidator(_with_a_point)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180), BeforeValidator(_with_a_point)] = None


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


def plain(place: SaidPlace | None) -> cards.Place | None:
    """A checked place as the card carries it."""
    # It was checked by the same rules already; doing so again is a tenth of an import.
    return place and cards.Place.model_construct(**vars(place))
