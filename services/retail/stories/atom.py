"""Stories as an Atom feed (RFC 4287): stories enter, the document leaves."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from services.retail.shops.domain import ShopContent
from services.retail.stories import rendering
from services.retail.stories.domain import StoryContent, in_language

ATOM = "http://www.w3.org/2005/Atom"


class Entry(NamedTuple):
    """A story, whose it is, where it is read."""

    story_id: str
    said: StoryContent
    shop: ShopContent
    published_at: datetime
    changed_at: datetime
    url: str


def feed(title: str, address: str, entries: Sequence[Entry], language: str, base: str) -> bytes:
    """The feed, the newest first."""
    Xml.register_namespace("", ATOM)
    root = Xml.Element(_name("feed"), {"{http://www.w3.org/XML/1998/namespace}lang": language})
    _text(root, "id", address)
    _text(root, "title", title)
    _text(
        root,
        "updated",
        _instant(max((each.changed_at for each in entries), default=datetime(2020, 1, 1, tzinfo=UTC))),
    )
    Xml.SubElement(root, _name("link"), {"rel": "self", "href": address, "type": "application/atom+xml"})
    for each in entries:
        _entry(root, each, language, base)
    written: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _entry(root: Xml.Element, each: Entry, language: str, base: str) -> None:
    entry = Xml.SubElement(root, _name("entry"))
    _text(entry, "id", f"urn:uuid:{each.story_id}")
    _text(entry, "title", in_language(each.said.title, language))
    _text(entry, "published", _instant(each.published_at))
    _text(entry, "updated", _instant(each.changed_at))
    _text(Xml.SubElement(entry, _name("author")), "name", in_language(each.shop.title, language))
    Xml.SubElement(entry, _name("link"), {"rel": "alternate", "href": each.url})
    for tag in each.said.tags:
        Xml.SubElement(entry, _name("category"), {"term": tag})
    if teaser := in_language(each.said.teaser, language):
        _text(entry, "summary", teaser)
    content = Xml.SubElement(entry, _name("content"), {"type": "html"})
    content.text = rendering.article(each.said, each.shop, language, base)


def _text(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, _name(name)).text = text


def _name(name: str) -> str:
    return f"{{{ATOM}}}{name}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
