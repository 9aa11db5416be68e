"""From a delivery's content to words: what it is about is looked up, dates and links are put in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from libs.contracts import messages
from libs.contracts.notify import Subject
from services.notify.addresses.models import Recipient
from services.notify.deliveries.content import Content, Item
from services.notify.deliveries.domain import CONFIRMATION
from services.notify.texts.catalogue import Texts
from services.notify.texts.domain import chosen, one_line, shortened
from services.notify.texts.rendering import Around, Reader, Rendered, render
from services.notify.things import queries as things
from services.notify.things.domain import where
from services.notify.things.models import Thing


@dataclass(frozen=True)
class Town:
    """What all words need of the surroundings."""

    texts: Texts
    name: str
    portal_url: str
    public_url: str

    @property
    def page(self) -> str:
        """Where a thing is seen, with {kind} and {id}."""
        return self.texts.links["thing"].format_map(
            {**self.addresses, "about_kind": "{kind}", "about_id": "{id}"}
        )

    @property
    def addresses(self) -> dict[str, str]:
        """What links begin with."""
        return {"portal": self.portal_url, "notify": self.public_url, "town": self.name}


def reader_of(recipient: Recipient) -> Reader:
    """For whom a text is put into words."""
    return Reader(recipient.language, ZoneInfo(recipient.timezone))


def put_into_words(
    session: Session, town: Town, recipient: Recipient, template: str, content: Content, stop_url: str = ""
) -> Rendered:
    """A delivery in the recipient's language."""
    reader = reader_of(recipient)
    if content.kind == "news":
        values = _news(session, town, reader, content.items)
    else:
        values = _message(session, town, reader, template, content)
    reason = "why_confirm" if template == CONFIRMATION else "why_message"
    why = content.why or town.texts.word("layout", reason, reader.language)
    return render(town.texts, template, reader, values, Around(why, stop_url, town.addresses))


def _message(session: Session, town: Town, reader: Reader, template: str, content: Content) -> dict[str, Any]:
    facts = _facts(template, content)
    about = _about(session, town, reader, content.about) if content.about else {}
    return {"dates": [date for date in content.dates if not date.cancelled], **about, **facts}


def _facts(template: str, content: Content) -> dict[str, Any]:
    if template not in messages.TEMPLATES:  # the one that asks for a confirmation
        return {**content.facts, "waiting": str(content.facts.get("waiting", "")).splitlines()}
    read = messages.read(template, dict(content.facts))
    return {name: _flat(getattr(read, name)) for name in type(read).model_fields}


def _flat(value: Any) -> Any:
    return one_line(value) if isinstance(value, str) else value


def _about(session: Session, town: Town, reader: Reader, about: Subject) -> dict[str, Any]:
    thing = things.by_id(session, about.kind, about.id)
    return {
        "title": title_of(town, reader, thing, about.kind),
        "where": where(thing.shown.place) if thing else "",
        "provider": "",
        "about_kind": about.kind,
        "about_id": about.id,
        "about_board": about.board or "",
    }


def title_of(town: Town, reader: Reader, thing: Thing | None, kind: str) -> str:
    """What a thing is called, or what such things are called."""
    title = shortened(chosen(dict(thing.shown.title), reader.language)) if thing else ""
    return title or town.texts.word("kind", kind, reader.language)


def _news(session: Session, town: Town, reader: Reader, items: Sequence[Item]) -> dict[str, Any]:
    shown = [_item(session, town, reader, item) for item in items]
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in shown:
        groups[item.board or item.kind].append(item)
    return {
        "item": shown[0],
        "items": shown,
        "count": len(shown),
        "groups": [SimpleNamespace(title=title, items=some) for title, some in groups.items()],
    }


def _item(session: Session, town: Town, reader: Reader, item: Item) -> Any:
    thing = things.by_key(session, item.key)
    kind = thing.kind if thing else "thing"
    board = things.by_id(session, "board", thing.board) if thing and thing.board else None
    card = thing.shown if thing else None
    return SimpleNamespace(
        title=title_of(town, reader, thing, kind),
        where=where(card.place) if card else "",
        when=_next(card.dates, item.at) if card else None,
        change=item.change,
        url=town.texts.links["thing"].format_map(
            {**town.addresses, "about_kind": kind, "about_id": thing.thing_id if thing else item.key}
        ),
        board=title_of(town, reader, board, "board") if board else "",
        kind=town.texts.word("kind", kind, reader.language),
        fact_id=item.fact_id,
    )


def _next(dates: Sequence[datetime], after: datetime) -> datetime | None:
    return min((date for date in dates if date >= after), default=None)
