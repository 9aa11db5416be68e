"""Errors as RFC 9457 problem documents: what is wrong, in which field, and why."""

from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from opentelemetry import trace
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.servicekit.db import is_outage
from libs.servicekit.outbox import TooLarge

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "2"

log = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """One thing that is wrong with the request; `field` is its path, empty for the whole."""

    field: str
    reason: str


class ProblemDetails(BaseModel):
    """The body of every error answer (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    errors: list[FieldError] = []


class Problem(Exception):  # noqa: N818 - the standard's own word
    """Raise to answer with a problem; nothing of the transaction is kept."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.body = ProblemDetails(status=status, title=title, detail=detail, errors=errors or [])
        self.headers = headers


def not_found(what: str) -> Problem:
    """404 for a thing that is not there, or not for this caller."""
    return Problem(404, "Not found", f"There is no such {what}.")


def conflict(detail: str) -> Problem:
    """409 for a request that the thing's present state does not allow."""
    return Problem(409, "Conflict", detail)


def invalid(*errors: FieldError) -> Problem:
    """422 naming each field and the reason."""
    return Problem(
        422, "Invalid request", "; ".join(f"{e.field}: {e.reason}" for e in errors)[:500], list(errors)
    )


def unavailable(what: str) -> Problem:
    """503 while a component is away; the caller may simply try again."""
    return Problem(
        503,
        "Temporarily unavailable",
        f"{what} cannot be reached.",
        headers={"Retry-After": RETRY_AFTER_SECONDS},
    )


def field_errors(error: RequestValidationError | ValidationError, *, skip: int = 0) -> list[FieldError]:
    """Pydantic's findings as field and reason; `skip` drops leading parts of each path."""
    return [
        FieldError(field=".".join(str(part) for part in found["loc"][skip:]), reason=str(found["msg"]))
        for found in error.errors()
    ]


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_exception)
    for trouble in (DBAPIError, PoolTimeoutError):
        app.add_exception_handler(trouble, _database_error)
    app.add_exception_handler(TooLarge, _too_large_for_the_bus)
    app.add_exception_handler(Exception, _bug)
    app.openapi = partial(_documented, app.openapi)  # type: ignore[method-assign]


def _documented(write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    # FastAPI adds what endpoints answer with; what `RESPONSES` refers to it does not know.
    document = write()
    _, found = models_json_schema(
        [(ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}"
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(found["$defs"])
    return document


def answer(request: Request, problem: Problem) -> Response:
    """The problem as a response to this request."""
    body = problem.body.model_copy(update={"instance": request.url.path})
    content = body.model_dump(exclude_none=True, exclude={"errors"} if not body.errors else None)
    return JSONResponse(content, problem.body.status, problem.headers, MEDIA_TYPE)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type
    return answer(request, error)


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    malformed = any(found["type"] == "json_invalid" for found in error.errors())
    found = field_errors(error, skip=0 if malformed else 1)
    return answer(request, Problem(400, "Malformed JSON", errors=found) if malformed else invalid(*found))


def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    return answer(request, Problem(error.status_code, str(error.detail), headers=dict(error.headers or {})))


def _database_error(request: Request, error: Exception) -> Response:
    if not is_outage(error):
        return _bug(request, error)
    log.warning("database away", error=type(error).__name__)
    return answer(request, unavailable("The database"))


def _too_large_for_the_bus(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooLarge)  # noqa: S101 - registered for this type
    return answer(request, invalid(FieldError(field=error.field, reason=error.reason)))


def _bug(request: Request, error: Exception) -> Response:
    trace_id = f"{trace.get_current_span().get_span_context().trace_id:032x}"
    log.error("unhandled", path=request.url.path, exc_info=error)
    return answer(request, Problem(500, "Internal error", f"Please report trace {trace_id}."))


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


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    },
    422: {
        "description": "A field is not as it must be.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    },
}
