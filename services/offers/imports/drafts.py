"""Drafts: a row of a source file as an offer to be, checked as the HTTP edge would check it. Values in, values out."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import to_json

from libs.servicekit.values import is_clean
from services.offers.accessibility import strange_facts
from services.offers.boards.domain import Declaration, check_fields
from services.offers.cells import STANDING
from services.offers.offers.domain import OfferContent
from services.offers.providers.domain import ProviderContent

MAX_KEY = 200
NO_TEXT = "holds what is no text in the encoding of the file"


@dataclass(frozen=True)
class Finding:
    """Something about a row: an error keeps it out, a notice does not."""

    column: str | None
    reason: str
    value: str | None = None
    severity: Literal["error", "notice"] = "error"


@dataclass
class Draft:
    """A row as an offer to be; `content` is missing when there are errors."""

    key: str | None = None
    provider: ProviderContent | None = None
    content: OfferContent | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether the row has an error."""
        return any(finding.severity == "error" for finding in self.findings)


def checked_key(key: Any) -> str | None:
    """By what a source names an offer; None when a row has none that can be kept."""
    text = str(key) if isinstance(key, str | int) else ""
    return text if 0 < len(text) <= MAX_KEY and is_clean(text) else None


def bad_key(column: str, key: Any) -> Finding:
    """What is to be said of a row without a usable key."""
    return Finding(column, f"needs a key of at most {MAX_KEY} characters", str(key)[:200])


def native_draft(row: dict[str, Any], board: Declaration, facts: Collection[str] = ()) -> Draft:
    """A JSON row as a draft: an offer's content beside a `key` and, if it has one, a `provider`."""
    key = row.pop("key", None)
    draft = Draft(key=checked_key(key))
    if draft.key is None:
        draft.findings.append(bad_key("key", key))
    provider = row.pop("provider", None)
    for name in STANDING:
        row.pop(name, None)
    finish(draft, row, provider, board, lambda path: path, facts)
    return draft


def finish(
    draft: Draft,
    content: dict[str, Any],
    provider: dict[str, Any] | None,
    board: Declaration,
    column: Callable[[str], str],
    facts: Collection[str],
) -> None:
    """Check the row's values as the HTTP edge would; `column` names where a value came from, `facts` is what the town
    says of places' accessibility."""
    try:
        if provider is not None:
            draft.provider = ProviderContent.model_validate_json(to_json(provider))
        draft.content = OfferContent.model_validate_json(to_json(content))
    except ValidationError as error:
        draft.findings += [_finding(found, column) for found in error.errors()]
    except ValueError as error:  # what is no text at all, such as bytes of another encoding
        unclean = [*_strange(content, ""), *_strange(provider, "provider")]
        draft.findings += [Finding(column(path), NO_TEXT, value[:200]) for path, value in unclean] or [
            Finding(None, str(error)[:500])
        ]
    else:
        wrong = check_fields(board, draft.content.fields, complete=True)
        draft.findings += [Finding(column(f"fields.{name}"), reason) for name, reason in wrong]
        for name, said in (("place", draft.content), ("provider.place", draft.provider)):
            strange = strange_facts(said.place if said else None, facts)
            draft.findings += [Finding(column(f"{name}.accessibility"), reason) for reason in strange]


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


def _finding(found: Any, column: Callable[[str], str]) -> Finding:
    path = ".".join(str(part) for part in found["loc"])
    return Finding(column(path), str(found["msg"])[:500], str(found["input"])[:200])
