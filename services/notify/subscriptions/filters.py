"""What is followed: a filter as people send it enters (the parameters of a search, or one thing), a `Follow` leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json
from starlette.datastructures import QueryParams

from libs.cardquery.matching import Asked, Subject
from libs.cardquery.params import query
from libs.language.questions import question
from libs.servicekit.errors import FieldError, Invalid

Value = str | int | float | bool | Sequence[str]
# Neither a moment nor a page says what is followed.
SENSELESS = ("open_now", "open_at", "sort", "limit", "offset", "facets")
OWN = ("thing", "provider", "project", "need")


@dataclass(frozen=True)
class Follow:
    """A query, or a thing, a provider or a project by its id; all that is said must hold."""

    asked: Asked
    thing: str | None = None
    provider: str | None = None
    project: str | None = None

    def answers(self, subject: Subject, thing_id: str) -> bool:
        """Whether a card is what somebody follows."""
        card = subject.card
        return (
            self.thing in (None, thing_id)
            and self.provider in (None, card.provider.id if card.provider else "")
            and (self.project is None or self.project in projects(subject, thing_id))
            and subject.answers(self.asked)
        )


def projects(subject: Subject, thing_id: str) -> Sequence[str]:
    """The projects that a card is of: itself, or those it names."""
    return [thing_id] if subject.card.kind == "project" else subject.facet("project")


def checked(said: Mapping[str, Value]) -> str:
    """A filter as it is kept; raises Invalid with each wrong field."""
    wrong = [
        FieldError(field=f"filter.{name}", reason="makes no sense in a subscription", code="not-followable")
        for name in SENSELESS
        if name in said
    ]
    wrong += [
        FieldError(field=f"filter.{name}", reason="must be one id or text", code="one-value")
        for name in OWN
        if name in said and not (isinstance(said[name], str) and 0 < len(str(said[name])) <= 200)
    ]
    if "need" in said and "q" in said:
        wrong.append(FieldError(field="filter.need", reason="is another word for q", code="need-and-words"))
    if wrong:
        raise Invalid(*wrong)
    kept = to_json({name: said[name] for name in sorted(said) if name != "lang"}).decode()
    try:
        follow_of(kept, frozenset())
    except Invalid as error:
        raise Invalid(
            *(each.model_copy(update={"field": f"filter.{each.field}"}) for each in error.errors)
        ) from None
    return kept


@lru_cache(maxsize=20_000)
def follow_of(kept: str, silent: frozenset[str]) -> Follow:
    """A filter as it is compared; `silent` are the town's stop words."""
    said: dict[str, Any] = from_json(kept)
    own = {name: str(said.pop(name)) for name in OWN if name in said}
    if "need" in own:
        said["q"] = own.pop("need")
    asked = query(QueryParams([(name, each) for name, value in said.items() for each in _texts(value)]))
    return Follow(Asked(asked, question(asked.q, silent)), **own)


def _texts(value: Value) -> list[str]:
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(value)] if isinstance(value, str | int | float) else [str(each) for each in value]
