"""Rules of channels: what fits into each, cut where a sentence or a word ends. Values in, values out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from services.retail.stories.domain import StoryContent, in_language

ELLIPSIS = "…"
_SENTENCE = re.compile(r"[.!?…][\"“”’)]*(?=\s|$)")
_UNWANTED = re.compile(r"[^\w]+")


class Channel(StrEnum):
    """Where a story can be told."""

    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    WHATSAPP = "whatsapp"
    MASTODON = "mastodon"
    NEWSLETTER = "newsletter"
    SIGN = "sign"


@dataclass(frozen=True)
class Rules:
    """What a channel takes: characters in all, of which a link counts `link` (None: as it is written), hashtags, and in
    which shape its pictures are. Source: the services' own help pages."""

    limit: int
    hashtags: int
    shape: str
    pictures: int
    link: int | None = None


RULES = {
    Channel.FACEBOOK: Rules(2000, 5, "wide", 10),
    Channel.INSTAGRAM: Rules(2200, 30, "square", 10),
    Channel.WHATSAPP: Rules(700, 3, "tall", 1),
    Channel.MASTODON: Rules(500, 5, "wide", 4, link=23),
    Channel.NEWSLETTER: Rules(1500, 0, "wide", 1),
    Channel.SIGN: Rules(280, 0, "square", 1),
}


@dataclass(frozen=True)
class Pack:
    """A story for a channel: `characters` are counted as the channel counts them."""

    text: str
    hashtags: list[str]
    characters: int


def pack(said: StoryContent, channel: Channel, language: str, link: str, town: str) -> Pack:
    """The words of a story for a channel: its title, as much of its text as fits, the link, hashtags."""
    rules = RULES[channel]
    tags = hashtags([*said.tags, town])[: rules.hashtags]
    ends = [part for part in (link if channel is not Channel.SIGN else "", " ".join(tags)) if part]
    extra = 0 if rules.link is None or link not in ends else rules.link - len(link)
    left = rules.limit - sum(len(end) + 2 for end in ends) - extra
    title = shortened(in_language(said.title, language), min(left, 150))
    body = shortened("\n\n".join(said.texts(language)), left - len(title) - 2)
    text = "\n\n".join(part for part in (title, body, *ends) if part)
    return Pack(text, tags, len(text) + extra)


def shortened(text: str, limit: int) -> str:
    """As much of a text as fits: up to the end of a sentence if that is not too little, else of a word."""
    text = text.strip()
    if len(text) <= limit:
        return text
    if limit < 2:
        return ""
    head = text[: limit - 1]
    ends = [match.end() for match in _SENTENCE.finditer(text[: limit + 1]) if match.end() <= limit]
    if ends and ends[-1] >= limit // 2:
        return text[: ends[-1]].rstrip()
    cut = max(head.rfind(" "), head.rfind("\n"))
    return f"{head[: cut if cut > 0 else limit - 1].rstrip(' ,;:–-')}{ELLIPSIS}"


def hashtags(words: Iterable[str]) -> list[str]:
    """Words as hashtags: readable aloud, each once."""
    found: dict[str, str] = {}
    for word in words:
        parts = [part for part in _UNWANTED.split(word) if part]
        tag = "".join(part[0].upper() + part[1:] for part in parts)
        if tag and not tag.isdigit():
            found.setdefault(tag.casefold(), f"#{tag}")
    return list(found.values())
