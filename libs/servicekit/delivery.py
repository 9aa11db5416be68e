"""One delivered event: its bytes are read, its effect happens, and the broker is told what became of it.

Acknowledged after its transaction, tried again with a growing delay, waited out while a dependency is away, or put
into DEAD with the reason when it cannot be handled.
"""

import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from prometheus_client import Counter
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from libs.contracts import topology
from libs.contracts.catalogue import EVERY
from libs.contracts.event import Envelope, Fact
from libs.servicekit.outages import is_outage
from libs.telemetry import spans

MAX_ATTEMPTS = 5
MAX_DELAY_SECONDS = 60.0

log = structlog.get_logger(__name__)
HANDLED = Counter("events_handled", "Events handled", ["consumer", "outcome"])


class InvalidEvent(ValueError):  # noqa: N818 - a state of the body, like Transient
    """The body is no event that this service can read: dead at once."""


def reason_of(error: Exception) -> str:
    """Why, in words that may lie about: what a database or a check says names rows and values, which are people's."""
    if isinstance(error, DBAPIError):
        return f"{type(error).__name__} ({type(error.orig).__name__})"
    if isinstance(error, ValidationError):
        wrong = (
            (".".join(map(str, found["loc"])), found["msg"]) for found in error.errors(include_input=False)
        )
        return "; ".join(f"{field}: {reason}" for field, reason in wrong)
    return " ".join(str(error).split()) or type(error).__name__


def parse(body: bytes, subject: str) -> Envelope[Any]:
    """An event's bytes as its envelope; raises InvalidEvent, also for an event that lies where another belongs: the broker
    sends its answers, and what it delivers, to whatever subject a request names (ADR 35)."""
    fact = fact_of(subject)
    try:
        event = Envelope[fact].model_validate_json(body)  # type: ignore[valid-type]
    except ValidationError as error:
        raise InvalidEvent(reason_of(error)[:1000]) from None
    name, _, thing = subject.rpartition(".")
    if event.subject != thing or event.type.split(".")[-4:] != name.split(".")[-4:]:
        raise InvalidEvent("the event belongs to another subject")
    return event


def fact_of(subject: str) -> type[Fact]:
    """The event type of a subject; a bare `Fact`, which still carries the card, for one from a newer service."""
    parts = subject.split(".")
    return EVERY.get(".".join(parts[-5:-1]), Fact)


class Cover(NamedTuple):
    """How a listener's dead letters lie where a body may hold what opens things: nobody else reads them (ADR 62).

    `open` raises InvalidEvent for what no key opens.
    """

    close: Callable[[bytes], bytes]
    open: Callable[[bytes], bytes]


COVERED = b"covered:"


class Delivered:
    """A delivered event on its way through a service: its message, its span, and what went wrong, if anything did."""

    def __init__(self, message: Msg, consumer: str, cover: Cover | None = None) -> None:
        self.message, self._consumer, self._cover = message, consumer, cover
        self.span = spans.consuming(message.subject, message.headers, consumer)
        self.error: Exception | None = None
        try:
            self.event = parse(self._body(), message.subject)
        except InvalidEvent as error:
            self.error = error

    def _body(self) -> bytes:
        data = self.message.data
        if self._cover and data.startswith(COVERED):
            return self._cover.open(data.removeprefix(COVERED))
        return data

    async def settle(self, js: JetStreamContext) -> bool:
        """Tell the broker what became of it, and end the span; False while a dependency that it needs is away."""
        with trace.use_span(self.span, end_on_exit=True):
            if self.error is None:
                await acknowledge(self.message, self._consumer)
                return True
            attributes = {
                "exception.type": type(self.error).__name__,
                "exception.message": reason_of(self.error),
            }
            self.span.add_event("exception", attributes)
            self.span.set_status(StatusCode.ERROR, type(self.error).__name__)
            await settle_failure(self.message, self._consumer, js, self.error, self._cover)
            return not is_outage(self.error)


async def acknowledge(message: Msg, consumer: str) -> None:
    """It is done. An acknowledgement that cannot be sent is no failure: delivered again, it changes nothing."""
    with suppress(NatsError):
        await message.ack()
    HANDLED.labels(consumer, "done").inc()


async def settle_failure(
    message: Msg, consumer: str, js: JetStreamContext, error: Exception, cover: Cover | None = None
) -> None:
    """Wait for an absent dependency, try a bug a few times, dead-letter what cannot be handled."""
    attempts = message.metadata.num_delivered
    if is_outage(error) or (attempts < MAX_ATTEMPTS and not isinstance(error, InvalidEvent)):
        HANDLED.labels(consumer, "retry").inc()
        log.warning("event waits", consumer=consumer, subject=message.subject, error=reason_of(error)[:300])
        with suppress(NatsError):
            await message.nak(delay=min(0.5 * 2 ** min(attempts, 10), MAX_DELAY_SECONDS))
        return
    await dead_letter(message, consumer, js, error, cover)


async def dead_letter(
    message: Msg, consumer: str, js: JetStreamContext, error: Exception, cover: Cover | None = None
) -> None:
    """Put the event into DEAD with the reason, then take it off its stream; later, if DEAD cannot take it now."""
    try:
        await js.publish(
            topology.dead_subject(consumer, message.subject),
            _covered(message.data, cover),
            headers=dead_letter_headers(message, consumer, error),
        )
        await message.term()
    except (NatsError, TimeoutError):
        with suppress(NatsError):
            await message.nak(delay=5)
        return
    HANDLED.labels(consumer, "dead").inc()
    log.error("event is dead", consumer=consumer, subject=message.subject, error=reason_of(error)[:300])


def _covered(data: bytes, cover: Cover | None) -> bytes:
    return data if cover is None or data.startswith(COVERED) else COVERED + cover.close(data)


def dead_letter_headers(message: Msg, consumer: str, error: Exception) -> dict[str, str]:
    """What an operator needs to know, beside the event's own headers."""
    origin = message.metadata
    headers = {key: value for key, value in (message.headers or {}).items() if key != "Nats-Msg-Id"}
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    return headers | {
        "Nats-Msg-Id": f"{consumer}:{origin.stream}:{origin.sequence.stream}",
        "Coburg-Consumer": consumer,
        "Coburg-Reason": reason_of(error)[:500],
        "Coburg-Exception": type(error).__name__
        + "".join(f" at {f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in frame),
        "Coburg-Attempts": str(origin.num_delivered),
        "Coburg-Subject": message.subject,
        "Coburg-Stream": origin.stream,
        "Coburg-Sequence": str(origin.sequence.stream),
        "Coburg-Time": datetime.now(UTC).isoformat(),
    }
