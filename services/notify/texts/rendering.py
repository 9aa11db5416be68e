"""Putting a message into words: a template, what it is about and its facts enter, subject, text, HTML and a short form leave."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from services.notify.texts import domain
from services.notify.texts.catalogue import InvalidText, Texts
from services.notify.texts.html import body_of


@dataclass(frozen=True)
class Reader:
    """Whom a text is for: language, and the zone in which times are said."""

    language: str
    zone: ZoneInfo


@dataclass(frozen=True)
class Around:
    """What stands around every text: why it came, how it ends, and where links lead."""

    why: str
    stop_url: str
    addresses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """A message in words."""

    language: str
    subject: str
    text: str
    html: str
    short: str


def render(texts: Texts, name: str, reader: Reader, values: Mapping[str, Any], around: Around) -> Rendered:
    """Put a message into words; raises jinja2.UndefinedError where the town's text asks for what there is not."""
    language, parts = texts.parts(name, reader.language)
    known = {
        **values,
        **texts_globals(texts, reader, values, around),  # a fact may be called `link` as well
        "lang": language,
        "zone": reader.zone,
    }
    subject = domain.one_line(parts["subject"].render(known))
    text = parts["text"].render(known).strip()
    why = domain.one_line(around.why)
    stop = texts.word("layout", "stop", language)
    footer = f"{why}\n\n{stop}\n→ {around.stop_url}" if around.stop_url else why
    html = texts.layout.render(
        lang=language.partition("-")[0],
        subject=subject,
        town=around.addresses.get("town", ""),
        body=body_of(text),
        footer=body_of(footer),
    )
    return Rendered(
        language, subject, f"{text}\n\n-- \n{footer}\n", html, domain.one_line(parts["short"].render(known))
    )


def texts_globals(texts: Texts, reader: Reader, values: Mapping[str, Any], around: Around) -> dict[str, Any]:
    """The functions that the town's texts may call."""

    def link(kind: str, **more: str) -> str:
        if kind not in texts.links:
            raise InvalidText(f"links.toml has no {kind!r}")
        return texts.links[kind].format_map({**around.addresses, **values, **more})

    def word(group: str, code: str) -> str:
        return texts.word(group, code, reader.language)

    return {"link": link, "word": word, "town": around.addresses.get("town", "")}


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return domain.moment(at, context["lang"], context["zone"])


@pass_context
def _day(context: Context, at: datetime) -> str:
    return domain.day(at, context["lang"], context["zone"])


@pass_context
def _span(context: Context, start: datetime, end: datetime | None = None) -> str:
    return domain.span(start, end, context["lang"], context["zone"])


@pass_context
def _money(context: Context, cents: int) -> str:
    return domain.money(cents, context["lang"])


FILTERS: dict[str, Callable[..., Any]] = {"moment": _moment, "day": _day, "span": _span, "money": _money}
