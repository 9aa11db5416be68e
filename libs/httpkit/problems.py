"""Errors as RFC 9457 problem documents: what is wrong, in which field, and why, in the caller's language.

The only place where errors of use cases get a status. `type` is the address of the code in the catalogue (`words`).
"""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from opentelemetry import trace
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.httpkit.words import SOURCE, Words
from libs.servicekit import errors
from libs.servicekit.db import is_outage
from libs.servicekit.errors import FieldError, UseCaseError, field_errors, summary
from libs.servicekit.outbox import TooLarge

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

log = structlog.get_logger(__name__)


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


def install(app: FastAPI, words: Words) -> None:
    """Answer every error of the app with a problem document in the town's words."""
    app.state.words = words
    app.add_exception_handler(UseCaseError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_exception)
    for trouble in (DBAPIError, PoolTimeoutError):
        app.add_exception_handler(trouble, _database_error)
    app.add_exception_handler(TooLarge, _too_large_for_the_bus)
    app.add_exception_handler(Exception, _bug)


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


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, UseCaseError)  # noqa: S101 - registered for this type
    return answer(request, error)


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    malformed = any(found["type"] == "json_invalid" for found in error.errors())
    found = field_errors(error.errors(), skip=0 if malformed else 1)
    if malformed:
        return answer(request, Problem(400, "Malformed JSON", errors=found))
    return answer(request, errors.Invalid(*found))


def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return answer(request, Problem(error.status_code, str(error.detail), headers=dict(error.headers or {})))


def _database_error(request: Request, error: Exception) -> Response:
    if not is_outage(error):
        return _bug(request, error)
    log.warning("database away", error=type(error).__name__)
    return answer(request, errors.Unavailable("The database"))


def _too_large_for_the_bus(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooLarge)  # noqa: S101 - registered for this type
    return answer(request, errors.Invalid(FieldError(field=error.field, reason=error.reason)))


def _bug(request: Request, error: Exception) -> Response:
    trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
    log.error("unhandled", path=request.url.path, exc_info=error)
    told = f"Please report trace {trace_id}."
    return answer(request, Problem(500, "Internal error", told, trace=trace_id))


class BodyLimit:
    """The body limit refuses in plain text, past all exception handlers; here that becomes a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, but a 413 in our own words."""
        refused = False

        async def pass_on(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 413:
                refused = True
                too_large = Problem(413, "Content too large", "The request holds more than is taken here.")
                await answer(Request(scope), too_large)(scope, receive, send)
            elif not refused:
                await send(message)

        await self._app(scope, receive, pass_on)
