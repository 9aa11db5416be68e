"""What somebody follows, in words: a filter enters, `„schwimmen“, Sport, bis 2 km` leaves, for the line that says why a message came."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import from_json
from sqlmodel import Session

from services.notify.subscriptions.models import Follower
from services.notify.texts.catalogue import Texts
from services.notify.texts.domain import chosen, money, one_line
from services.notify.things import queries as things

LONGEST = 200
KINDS = {"thing": "offer", "provider": "provider", "project": "project"}


def why(session: Session, texts: Texts, language: str, followers: Sequence[Follower]) -> str:
    """Why a message came."""
    names = ", ".join(one.name or name_of(session, texts, language, one.filter) for one in followers)
    return texts.word("layout", "why_news", language).format(filter=one_line(names)[:LONGEST])


def name_of(session: Session, texts: Texts, language: str, kept: str) -> str:
    """A filter in words."""
    said = sorted(from_json(kept).items(), key=lambda pair: pair[0] not in ("q", "need"))
    parts = [part for name, value in said for part in _part(session, texts, language, name, value)]
    return ", ".join(parts) or texts.word("filter", "everything", language)


def _part(session: Session, texts: Texts, language: str, name: str, value: Any) -> Iterator[str]:
    if name == "near":
        return
    if name in KINDS or name == "board":
        yield from (_titled(session, language, KINDS.get(name, "board"), str(one)) for one in _all(value))
    elif name in ("q", "need") or name not in texts.words.get("filter", {}):
        yield from (str(one) for one in _all(value))
    elif value not in (False, "false"):
        yield texts.word("filter", name, language).format(value=_shown(texts, language, name, value))


def _titled(session: Session, language: str, kind: str, thing_id: str) -> str:
    thing = things.by_id(session, kind, thing_id)
    return chosen(dict(thing.shown.title), language) if thing else thing_id


def _shown(texts: Texts, language: str, name: str, value: Any) -> str:
    if name.startswith("price"):
        return money(int(value), language)
    if name == "radius":
        return f"{int(value) / 1000:g}".replace(".", "," if language.startswith("de") else ".")
    return ", ".join(texts.word(name, str(one), language) for one in _all(value))


def _all(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else (value,)
