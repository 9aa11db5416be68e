"""Errors as RFC 9457 problem documents: what is wrong, in which field, and why, in the caller's language.

The only place where errors of use cases get a status. `type` is the address of the code in the catalogue (`words`).
"""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from libs.httpkit.words import SOURCE, Words
from libs.servicekit import errors
from libs.servicekit.errors import FieldError, UseCaseError, summary

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "2"

STATUS: dict[type[UseCaseError], tuple[int, str]] = {
    errors.Unauthenticated: (401, "Unauthorised"),
    errors.Forbidden: (403, "Forbidden"),
    errors.NotFound: (404, "Not found"),
    errors.Conflict: (409, "Conflict"),
    errors.VersionMismatch: (412, "Precondition failed"),
    errors.Invalid: (422, "Invalid request"),
    errors.TooMany: (429, "Too many requests"),
    errors.Unavailable: (503, "Temporarily unavailable"),
}
# What HTTP alone refuses, before any use case.
CODES = {
    400: "malformed",
    404: "not-found",
    405: "method-not-allowed",
    412: "version-mismatch",
    413: "content-too-large",
    415: "unsupported-media-type",
    428: "precondition-required",
    429: "too-many",
    500: "internal-error",
}


class ProblemDetails(BaseModel):
    """The body of every error answer (RFC 9457); tell problems apart by `code`, or by `type`, its address."""

    type: str = Field("about:blank", description="The address of the code in this service's catalogue.")
    code: str = Field("failed", description="What it is, for good: see `GET /v1/problems`.")
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[FieldError] = []


class Problem(UseCaseError):  # noqa: N818 - the standard's own word
    """What HTTP itself refuses, with a status of its own."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
        code: str | None = None,
        **values: object,
    ) -> None:
        code = code or CODES.get(status, f"http-{status}")
        super().__init__(detail or "", code=code, errors=errors or [], **values)
        self.status, self.title, self.headers = status, title, headers or {}


def status_of(error: UseCaseError) -> tuple[int, str]:
    """The status of an error, and the title where the town has none."""
    if isinstance(error, Problem):
        return error.status, error.title
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), (500, "Internal error"))


def headers_of(error: UseCaseError) -> dict[str, str]:
    """What the caller's program needs beside the words."""
    match error:
        case Problem():
            return error.headers
        case errors.VersionMismatch():
            return {"ETag": f'"{error.actual}"'}
        case errors.Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
        case errors.TooMany():
            return {"Retry-After": str(error.retry_after)}
        case errors.Unavailable():
            return {"Retry-After": RETRY_AFTER_SECONDS}
    return {}


def answer(request: Request, error: UseCaseError) -> Response:
    """The problem as a response to this request."""
    (status, title), headers = status_of(error), headers_of(error)
    body = ProblemDetails(
        code=error.code,
        title=title,
        status=status,
        detail=error.detail or None,
        instance=request.url.path,
        errors=error.errors,
    )
    # What answers outside the app, such as a limit in front of it, has no words.
    if "app" in request.scope:
        body = _in_words(request, error, body)
        headers = {**headers, "Vary": "Accept-Language"}
    content = body.model_dump(exclude_none=True, exclude={"errors"} if not body.errors else None)
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def _in_words(request: Request, error: UseCaseError, body: ProblemDetails) -> ProblemDetails:
    words: Words = request.app.state.words
    language = words.language(request.headers.get("Accept-Language"))
    told: dict[str, Any] = {"type": words.address(error.code)}
    if language != SOURCE:
        told["title"] = words.title(error.code, language) or body.title
        told["errors"] = [_reworded(words, each, language) for each in body.errors]
        by_field = summary(told["errors"])
        told["detail"] = words.detail(error.code, language, error.values) or by_field or body.detail
    return body.model_copy(update=told)


def _reworded(words: Words, error: FieldError, language: str) -> FieldError:
    return error.model_copy(update={"reason": words.reason(error, language)})
