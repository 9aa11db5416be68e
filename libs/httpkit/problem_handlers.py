"""Every error of an app becomes a problem document: its own, the framework's, the database's, and bugs."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from opentelemetry import trace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.httpkit.problems import Problem, answer
from libs.httpkit.words import Words
from libs.servicekit import errors
from libs.servicekit.errors import FieldError, UseCaseError, field_errors
from libs.servicekit.outages import is_database_outage
from libs.servicekit.outbox import TooLarge

log = structlog.get_logger(__name__)


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
    if not is_database_outage(error):
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
