"""What is told of stories: how they are found, and all that front ends need to show them."""

import hashlib

from pydantic_core import to_json

from libs.contracts import retail as events
from libs.contracts.card import Card, CardProvider, Image, Text
from libs.town.places import plain
from services.retail.shops.models import Shop
from services.retail.stories.domain import StoryContent, in_language
from services.retail.stories.models import Story

MAX_TEXT = 15_000


def fact(story: Story, shop: Shop, base: str, kind: type[events.StoryFact]) -> events.StoryFact:
    """A story's public state as a fact; `base` is where this service answers."""
    said = story.told
    assert said is not None and story.published_at is not None  # noqa: S101 - asked of public stories only
    return kind(
        shop_id=shop.id,
        title=said.title,
        teaser=said.teaser,
        blocks=[block.model_dump(mode="json", exclude_defaults=True) for block in said.blocks],
        tags=said.tags,
        published_at=story.published_at,
        card=card(story, said, shop, base, listed=kind is not events.StoryWithdrawn),
    )


def card(story: Story, said: StoryContent, shop: Shop, base: str, *, listed: bool) -> Card:
    """How a story is found."""
    of_shop = shop.said
    text: Text = {language: "\n".join(said.texts(language))[:MAX_TEXT] for language in said.title}
    facets = {"shop_kind": [of_shop.kind.value], "assortment": of_shop.assortment}
    return Card(
        kind="story",
        title=said.title,
        summary=said.teaser,
        text=text,
        keywords=list(dict.fromkeys(of_shop.title.values())),
        tags=said.tags,
        facets={name: values for name, values in facets.items() if values},
        place=plain(of_shop.place),
        provider=CardProvider(id=shop.id, title=of_shop.title),
        image=image(said, base),
        published_at=story.published_at,
        listed=listed,
    )


def mark(shop: Shop) -> str:
    """What a story's card tells of its shop, as a mark that changes with it."""
    said = shop.said.model_dump(mode="json", include={"title", "kind", "assortment", "place"})
    return hashlib.sha256(to_json(said)).hexdigest()[:16]


def image(said: StoryContent, base: str) -> Image | None:
    """The first picture, with what it shows in every language."""
    for _, picture_id, alt in said.pictures():
        return Image(
            url=f"{base}/v1/pictures/{picture_id}/wide.jpg", alt=alt or {"de": in_language(said.title, "de")}
        )
    return None
