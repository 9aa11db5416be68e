"""An Atom feed (RFC 4287) of things: the newest first, in the reader's language."""

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from services.notify.feeds.wording import allowed
from services.notify.feeds.wording import title as shortened
from services.notify.texts.domain import chosen
from services.notify.things.domain import where
from services.notify.things.models import Thing

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What is ours in a feed: the fact that a thing was last changed by.
OWN = "tag:coburg-digital,2026:feed"

ElementTree.register_namespace("", NAMESPACE)
ElementTree.register_namespace("coburg", OWN)


def feed(title: str, url: str, things: Sequence[Thing], language: str, page: str) -> bytes:
    """The feed's bytes. `page` is where a thing is seen, with {kind} and {id}."""
    root = ElementTree.Element(f"{{{NAMESPACE}}}feed", {"xml:lang": language.partition("-")[0]})
    _text(root, "id", url)
    _text(root, "title", title)
    _text(root, "updated", _instant(max((thing.at for thing in things), default=EPOCH)))
    author = ElementTree.SubElement(root, f"{{{NAMESPACE}}}author")
    _text(author, "name", title)
    ElementTree.SubElement(root, f"{{{NAMESPACE}}}link", {"rel": "self", "href": url, "type": MEDIA_TYPE})
    for thing in things:
        _entry(root, thing, language, page)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry(root: ElementTree.Element, thing: Thing, language: str, page: str) -> None:
    card = thing.shown
    entry = ElementTree.SubElement(root, f"{{{NAMESPACE}}}entry")
    _text(entry, "id", f"tag:coburg-digital,2026:{thing.key}")
    _text(entry, "title", shortened(chosen(dict(card.title), language)) or thing.kind)
    _text(entry, "updated", _instant(thing.at))
    if card.published_at:
        _text(entry, "published", _instant(card.published_at))
    link = page.format(kind=thing.kind, id=thing.thing_id)
    ElementTree.SubElement(entry, f"{{{NAMESPACE}}}link", {"rel": "alternate", "href": link})
    summary = [chosen(dict(card.summary), language), where(card.place)]
    _text(entry, "summary", " – ".join(part for part in summary if part))
    for term in (thing.board, thing.kind):
        if term:
            ElementTree.SubElement(entry, f"{{{NAMESPACE}}}category", {"term": allowed(term)})
    _text(entry, "source-fact", thing.fact_id, OWN)


def _text(parent: ElementTree.Element, name: str, text: str, namespace: str = NAMESPACE) -> None:
    ElementTree.SubElement(parent, f"{{{namespace}}}{name}").text = allowed(text)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
