"""Errors of use cases: what kept one from being done, under a code that stays. HTTP turns them into answers of its own.

`detail` is the sentence in English, for logs and for callers without a language; what people read is the
town's (`city/problems.toml`), found by the code, with `values` put in.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field, ValidationError


class FieldError(BaseModel):
    """One thing that is wrong with the request; `field` is its path, empty for the whole."""

    field: str
    reason: str
    code: str | None = Field(None, description="Stays the same, whatever language the reason is in.")
    values: dict[str, str] = Field({}, exclude=True)


class UseCaseError(Exception):
    """Raise to end a use case; nothing of its transaction is kept."""

    code = "failed"

    def __init__(
        self, detail: str, *, code: str | None = None, errors: Iterable[FieldError] = (), **values: object
    ) -> None:
        super().__init__(detail)
        self.detail, self.errors = detail, list(errors)
        self.code = code or self.code
        self.values = {name: str(value) for name, value in values.items()}


class NotFound(UseCaseError):
    """The thing is not there, or not for this caller."""

    code = "not-found"

    def __init__(self, what: str, *, code: str | None = None) -> None:
        super().__init__(f"There is no such {what}.", code=code, what=what)


class Conflict(UseCaseError):
    """The thing's present state does not allow it."""

    code = "conflict"


class VersionMismatch(UseCaseError):
    """The thing has moved on since the caller saw it; `actual` is its version by now."""

    code = "version-mismatch"

    def __init__(self, actual: int) -> None:
        super().__init__(f"The thing is at version {actual} by now.", actual=actual)
        self.actual = actual


class Invalid(UseCaseError):
    """Fields are not as they must be; each is named with the reason."""

    code = "invalid"

    def __init__(self, *errors: FieldError, code: str | None = None) -> None:
        super().__init__(summary(errors), code=code, errors=errors)


class Unauthenticated(UseCaseError):
    """Nobody knows who calls: a token or a link is missing, or not valid."""

    code = "unauthenticated"


class Forbidden(UseCaseError):
    """The caller is known and may not do this."""

    code = "forbidden"


class TooMany(UseCaseError):
    """A limit is reached for now; `retry_after` seconds later it may be tried again."""

    code = "too-many"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None, **values: object) -> None:
        super().__init__(detail, code=code, errors=(), **values)
        self.retry_after = retry_after


class Unavailable(UseCaseError):
    """A component is away for now; the caller may simply try again."""

    code = "unavailable"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} cannot be reached.", what=what)


def summary(errors: Iterable[FieldError]) -> str:
    """All that is wrong in one line, of at most 500 characters."""
    return "; ".join(f"{each.field}: {each.reason}" if each.field else each.reason for each in errors)[:500]


def check_version(expected: int, actual: int) -> None:
    """Raise VersionMismatch when the thing has moved on since the caller saw it."""
    if expected != actual:
        raise VersionMismatch(actual)


def field_errors(found: Iterable[Any] | ValidationError, *, skip: int = 0) -> list[FieldError]:
    """Pydantic's findings as field and reason; `skip` drops leading parts of each path."""
    return [
        FieldError(
            field=".".join(str(part) for part in each["loc"][skip:]),
            reason=str(each["msg"]),
            code=str(each["type"]).replace("_", "-"),
            values={name: str(value) for name, value in each.get("ctx", {}).items()},
        )
        for each in (found.errors() if isinstance(found, ValidationError) else found)
    ]
