"""Rules of stories: the blocks they are made of, the way from a draft to the public. Values in, values out."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from libs.contracts.address import WebAddress
from libs.contracts.card import Text, Word
from libs.servicekit.errors import FieldError
from libs.servicekit.values import Body, Said

MAX_BLOCKS, MAX_TEXT, MAX_SHORT = 40, 5000, 300
_MARKUP = re.compile(r"<\s*[/!?]?\s*[a-zA-Z]")


class StoryStatus(StrEnum):
    """Where a story's working copy stands; what is public stays public until something else is published."""

    DRAFT = "draft"
    REVIEW = "review"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


# Which state may follow which; what is not here is a conflict.
FOLLOWS = {
    StoryStatus.REVIEW: (StoryStatus.DRAFT,),
    StoryStatus.DRAFT: (
        StoryStatus.REVIEW,
        StoryStatus.SCHEDULED,
        StoryStatus.PUBLISHED,
        StoryStatus.ARCHIVED,
    ),
    StoryStatus.SCHEDULED: (StoryStatus.DRAFT, StoryStatus.REVIEW),
    StoryStatus.PUBLISHED: (StoryStatus.DRAFT, StoryStatus.REVIEW, StoryStatus.SCHEDULED),
    StoryStatus.ARCHIVED: (
        StoryStatus.DRAFT,
        StoryStatus.REVIEW,
        StoryStatus.SCHEDULED,
        StoryStatus.PUBLISHED,
    ),
}


def _plain(limit: int) -> AfterValidator:
    def check(value: Text) -> Text:
        for text in value.values():
            if len(text) > limit:
                raise ValueError(f"has at most {limit} characters")
            if _MARKUP.search(text):
                raise ValueError("is plain text, without HTML")
        return value

    return AfterValidator(check)


Long = Annotated[Said, _plain(MAX_TEXT)]
Short = Annotated[Said, _plain(MAX_SHORT)]
MaybeShort = Annotated[Text, _plain(MAX_SHORT)]
PictureId = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class TextBlock(Body):
    """Some paragraphs."""

    type: Literal["text"]
    text: Long


class PictureBlock(Body):
    """A picture. What it shows is said for those who cannot see it: without that the story is not published."""

    type: Literal["picture"]
    picture_id: PictureId
    alt: MaybeShort = {}
    caption: MaybeShort = {}


class QuoteBlock(Body):
    """What somebody said, and who, as they want to be called."""

    type: Literal["quote"]
    text: Short
    by: MaybeShort = {}


class ProductBlock(Body):
    """Something that is to be had in the shop."""

    type: Literal["product"]
    title: Short
    text: MaybeShort = {}
    price_cents: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    picture_id: PictureId | None = None
    alt: MaybeShort = {}


class LinkBlock(Body):
    """A way to read on."""

    type: Literal["link"]
    url: WebAddress
    label: Short


class OpeningBlock(Body):
    """When the shop is open, as it says itself."""

    type: Literal["opening"]


Block = Annotated[
    TextBlock | PictureBlock | QuoteBlock | ProductBlock | LinkBlock | OpeningBlock,
    Field(discriminator="type"),
]


class StoryContent(Body):
    """What a story tells."""

    title: Short
    teaser: MaybeShort = {}
    blocks: Annotated[list[Block], Field(max_length=MAX_BLOCKS)] = []
    tags: Annotated[list[Word], Field(max_length=20)] = []

    def pictures(self) -> Iterator[tuple[str, str, Text]]:
        """Yield each picture's field, id and what it shows."""
        for number, block in enumerate(self.blocks):
            if isinstance(block, PictureBlock | ProductBlock) and block.picture_id:
                yield f"blocks.{number}", block.picture_id, block.alt

    def texts(self, language: str) -> list[str]:
        """All paragraphs in a language, or in the one in which they are told."""
        found = [self.teaser]
        for block in self.blocks:
            if isinstance(block, TextBlock):
                found.append(block.text)
            elif isinstance(block, QuoteBlock):
                found.append({code: f"„{text}“" for code, text in block.text.items()})
            elif isinstance(block, ProductBlock):
                found += [block.title, block.text]
        return [text for each in found if (text := in_language(each, language))]


def in_language(text: Text, language: str) -> str:
    """A text in a language, or in the first one it is told in."""
    return text.get(language) or next((each for each in text.values() if each.strip()), "")


def may_become(status: StoryStatus, following: StoryStatus) -> bool:
    """Whether a story's working copy may go from one state to another."""
    return status in FOLLOWS[following]


def unready(content: StoryContent, known: set[str]) -> Iterator[FieldError]:
    """Yield what keeps a story from being published: a picture that is not there, or that some readers would not get."""
    for field, picture_id, alt in content.pictures():
        if picture_id not in known:
            yield FieldError(
                field=f"{field}.picture_id", reason="there is no such picture", code="picture-unknown"
            )
        missing = [language for language in content.title if not alt.get(language, "").strip()]
        if missing:
            named = ", ".join(missing)
            reason = f"say what the picture shows, in {named}: some readers cannot see it"
            values = {"languages": named}
            yield FieldError(field=f"{field}.alt", reason=reason, code="alt-missing", values=values)
    if not any(isinstance(block, TextBlock | QuoteBlock | ProductBlock) for block in content.blocks):
        yield FieldError(field="blocks", reason="a story needs some text", code="text-missing")
