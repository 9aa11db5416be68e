"""What a strict model refuses, in codes that have words: the errors of pydantic enter, findings leave."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from libs.imports.findings import Finding, Params
from libs.imports.values import address_code

# By the beginning of pydantic's own error types.
_CODES = {
    "int": "whole_number",
    "float": "number",
    "finite": "number",
    "bool": "yes_no",
    "datetime": "instant",
    "timezone": "instant",
    "date": "day",
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_too_short": "required",
    "string_too_long": "long_text",
    "too_long": "long_list",
    "too_short": "required",
    "string_pattern": "characters",
    "string": "text",
    "dict": "object",
    "model": "object",
    "list": "list",
    "greater": "too_small",
    "less": "too_large",
    "literal": "one_of",
}
_LIMITS = ("max_length", "ge", "gt", "le", "lt", "expected")
# Sentences of our own validators.
_REASONS = {"needs a text in at least one language": "required", "end lies before start": "order"}


def findings(error: ValidationError, column: Callable[[str], str]) -> Iterator[Finding]:
    """One finding for each thing that is wrong; `column` names where a value came from."""
    for found in error.errors(include_url=False):
        path = ".".join(str(part) for part in found["loc"])
        code = _code(found["type"], found.get("ctx", {}))
        yield Finding(column(path), code, _shown(found["input"]), params=_params(path, found.get("ctx", {})))


def _code(kind: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        message = str(context.get("error", ""))
        return _REASONS.get(message) or (address_code(message) if "web address" in message else "value")
    return next((code for start, code in _CODES.items() if kind.startswith(start)), "value")


def _params(path: str, context: Mapping[str, Any]) -> Params:
    limit = next((str(context[name]) for name in _LIMITS if name in context), "")
    return {"field": path, "limit": limit}


def _shown(value: Any) -> str | None:
    """What stands there, if it is short enough to be read."""
    return str(value)[:200] if isinstance(value, str | int | float | bool) else None
