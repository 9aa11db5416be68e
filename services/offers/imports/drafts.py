"""Drafts: a row of a source file as an offer to be, checked as the HTTP edge would check it. Values in, values out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from libs.contracts.offers import BoardField, FieldType
from libs.imports import checks
from libs.imports.draft import Draft
from libs.imports.findings import Finding, Params
from libs.imports.mapper import Mapper
from libs.imports.values import choice
from libs.servicekit.values import is_clean
from libs.town.places import Point, SaidPlace
from services.offers import notices
from services.offers.boards.domain import Declaration, check_fields
from services.offers.imports.targets import Source
from services.offers.offers.domain import OfferContent
from services.offers.providers.domain import ProviderContent
from services.offers.standing import STANDING

MAX_KEY = 200
_SLIPS = {
    "hours-as-text": "hours_as_text",
    "coordinates-swapped": "coordinates_swapped",
    "coordinates-zero": "coordinates_zero",
}
_WRONG = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "whole_number",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "yes_no",
    FieldType.CHOICE: "choice",
    FieldType.CHOICES: "choice",
    FieldType.DATE: "day",
    FieldType.URL: "address",
    FieldType.HOURS: "hours",
}


@dataclass
class OfferDraft(Draft):
    """A row as an offer to be; `content` is missing when there are errors. `offer_id` and `provider_id` are what an
    export says of which things the row is."""

    provider: ProviderContent | None = None
    content: OfferContent | None = None
    offer_id: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True)
class Checker:
    """What rows are checked by: the board, the town's words for a place's accessibility, and where the town lies."""

    board: Declaration
    accessibility: Mapping[str, Any] = field(default_factory=dict)
    centre: Point | None = None

    def native(self, row: dict[str, Any]) -> OfferDraft:
        """A JSON row as a draft: an offer's content beside a `key` and, if it has one, a `provider`."""
        draft = OfferDraft()
        self._stand(draft, row, "key", row.pop("key", None))
        provider = row.pop("provider", None)
        for name in STANDING:
            row.pop(name, None)
        self._finish(draft, row, provider, lambda path: path)
        return draft

    def mapped(self, row: dict[str, str], mapper: Mapper, source: Source) -> OfferDraft:
        """A row of a table as a draft."""
        mapped = mapper.map(row)
        draft = OfferDraft(findings=mapped.findings)
        self._stand(draft, row if source.verbatim else {}, source.key, mapped.cells[source.key])
        provider = _provider(mapped.content.pop("provider", {}), mapped.cells, source)
        if not draft.broken:
            self._finish(draft, mapped.content, provider, mapper.column)
        return draft

    def _stand(self, draft: OfferDraft, row: Mapping[str, Any], column: str, key: Any) -> None:
        """Which thing a row is, as its source or an export says."""
        draft.key = checked_key(key)
        draft.offer_id, draft.provider_id = (_identity(row.get(name)) for name in ("id", "provider_id"))
        if draft.key is None:
            code = "bad_key" if key not in (None, "") else "no_key"
            draft.findings.append(Finding(column, code, str(key or "")[:200], params={"limit": str(MAX_KEY)}))
        board = row.get("board")
        if board and board != self.board.slug:
            said = {"board": self.board.slug}
            draft.findings.append(Finding("board", "other_board", str(board)[:200], params=said))

    def _finish(
        self,
        draft: OfferDraft,
        content: dict[str, Any],
        provider: dict[str, Any] | None,
        column: Callable[[str], str],
    ) -> None:
        """Check the row's values as the HTTP edge would; `column` names where a value came from."""
        try:
            if provider is not None:
                draft.provider = _checked_provider(to_json(provider))
            draft.content = OfferContent.model_validate_json(to_json(content))
        except ValidationError as error:
            draft.findings += checks.findings(error, column)
        except ValueError:  # what is no text at all, such as bytes of another encoding
            unclean = [*_strange(content, ""), *_strange(provider, "provider")]
            draft.findings += [Finding(column(path), "encoding", value[:200]) for path, value in unclean] or [
                Finding(None, "value")
            ]
        else:
            draft.findings += self._of_town(draft.content, draft.provider, column)

    def _of_town(
        self, content: OfferContent, provider: ProviderContent | None, column: Callable[[str], str]
    ) -> Iterator[Finding]:
        """What the board and the town do not admit."""
        declared = self.board.by_name
        for name, _ in check_fields(self.board, content.fields, complete=True):
            value = content.fields.get(name)
            said, known = column(f"fields.{name}"), declared.get(name)
            code = "unknown_field" if known is None else _code(known, value)
            shown = None if value is None else str(value)[:200]
            yield Finding(said, code, shown, params=_params(known, name))
        yield from self._of_place("place", content.place, column)
        yield from self._of_place("provider.place", provider.place if provider else None, column)
        # How far away the whole file lies is its own matter; a slip is another.
        slips = chain(
            notices.of_hours(declared, content.fields), notices.of_place(content.place, self.centre)
        )
        for name, code in slips:
            if code in _SLIPS:
                yield Finding(column(name), _SLIPS[code], severity="notice")
        if len(set(content.dates)) < len(content.dates):
            yield Finding(column("dates"), "same_date", severity="notice")

    def _of_place(
        self, name: str, place: SaidPlace | None, column: Callable[[str], str]
    ) -> Iterator[Finding]:
        if place and (place.lat is None) is not (place.lon is None):
            missing = "lat" if place.lat is None else "lon"
            yield Finding(column(f"{name}.{missing}"), "one_coordinate")
        listed = self.accessibility
        for fact in place.accessibility if place and listed else ():
            if fact not in listed:
                options = choice(listed).labels
                yield Finding(column(f"{name}.accessibility"), "choice", fact, params={"options": options})


@lru_cache(4096)
def _checked_provider(content: bytes) -> ProviderContent:
    """Many rows name the same provider."""
    return ProviderContent.model_validate_json(content)


def _code(field: BoardField, value: Any) -> str:
    return "required" if value in (None, "", []) else _WRONG[field.type]


def _params(field: BoardField | None, name: str) -> Params:
    if field is None:
        return {"field": name}
    options = choice({option.value: option.label for option in field.options}).labels
    return {"field": field.label or name, "options": options}


def checked_key(key: Any) -> str | None:
    """By what a source names an offer; None when a row has none that can be kept."""
    text = str(key) if isinstance(key, str | int) else ""
    return text if 0 < len(text) <= MAX_KEY and is_clean(text) else None


def _identity(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 64 and is_clean(value) else None


def _provider(said: dict[str, Any], cells: dict[str, str], source: Source) -> dict[str, Any] | None:
    """What a row says of whoever offers it; its name is what its source knows it by, and stands first."""
    rule = source.provider
    name = cells[rule.title] if rule else ""
    titles: dict[str, str] = said.get("title", {})
    if not name and not titles:
        return None
    kind = cells[rule.kind] if rule and rule.kind else said.get("kind")
    if name and name not in titles.values():
        return {"title": {source.language: name}, "kind": kind or None}
    ordered = sorted(titles, key=lambda language: titles[language] != name)
    return said | {"title": {language: titles[language] for language in ordered}, "kind": kind or None}


def _strange(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Where a row holds characters that cannot be written down, and what."""
    if isinstance(value, str) and not is_clean(value):
        yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _strange(part, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for part in value:
            yield from _strange(part, path)
