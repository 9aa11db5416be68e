"""The bus as a service sees it: a connection that never gives up, and listeners that lose nothing.

`listen` turns a function into the handler of a durable: acknowledged after its transaction, tried again with a
growing delay, waited out while a dependency is away, and put into DEAD with the reason when it cannot be handled.
"""

import asyncio
import os
import signal
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi.concurrency import run_in_threadpool
from faststream.middlewares import AckPolicy
from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from prometheus_client import Counter, Gauge
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from libs.contracts import topology
from libs.contracts.catalogue import EVERY
from libs.contracts.event import Envelope, Fact
from libs.servicekit import telemetry
from libs.servicekit.db import AWAY
from libs.servicekit.settings import Settings

MAX_ATTEMPTS = 5
MAX_DELAY_SECONDS = 60.0
FETCH_SECONDS = 0.25
BATCH = 100

log = structlog.get_logger(__name__)
HANDLED = Counter("events_handled", "Events handled", ["consumer", "outcome"])
CONNECTED = Gauge("bus_connected", "1 while the broker is connected")


class Transient(Exception):  # noqa: N818 - says what it is
    """Raise when a dependency is away: the event waits for it, however long that takes."""


class Malformed(ValueError):  # noqa: N818 - the state of the body, like Transient
    """The body is no event that this service can read: dead at once."""


# A lost race on a unique key is won by the next attempt.
WAIT_FOR = (
    Transient,
    *AWAY,
    IntegrityError,
    NatsError,
    ConnectionError,
)

Handler = Callable[[Envelope[Any]], None]


class Bus:
    """A service's connection to NATS, through FastStream's broker."""

    def __init__(self, settings: Settings) -> None:
        self._on_connect: list[Callable[[], Any]] = []
        self.broker = NatsBroker(
            settings.nats_url,
            name=settings.service,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=_quiet,
            reconnected_cb=self._reconnected,
            closed_cb=self._closed,
            ack_policy=AckPolicy.MANUAL,
            logger=None,
        )
        self._stopping = False

    async def start(self) -> None:
        """Connect, waiting for the broker if need be, and start the listeners."""
        while True:
            try:
                await self.broker.start()
                break
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("bus not ready", error=type(error).__name__, detail=str(error)[:200])
                await asyncio.sleep(1)
        log.info("bus connected")

    async def stop(self) -> None:
        """Finish what is being handled and close the connection."""
        self._stopping = True
        await self.broker.stop()

    def on_reconnect(self, callback: Callable[[], Any]) -> None:
        """Call when the broker is back after an outage."""
        self._on_connect.append(callback)

    @property
    def connected(self) -> bool:
        """Whether the broker can be spoken to right now."""
        try:
            connected = self.client.is_connected
        except Exception:  # before the first connection FastStream has no client to ask
            connected = False
        CONNECTED.set(connected)
        return connected

    @property
    def client(self) -> Client:
        """The NATS connection; raises before `start`."""
        return self.broker.connection

    @property
    def js(self) -> JetStreamContext:
        """JetStream on this connection."""
        return self.client.jetstream()

    async def missing(self, listeners: Sequence[topology.Listener]) -> list[str]:
        """What is not there of the streams and of these listeners' durables (a deleted durable is silent)."""
        if not self.connected:
            return ["broker"]
        wanted = [durable for listener in listeners for durable in listener.durables]
        checks = [_present(self.js.stream_info(topology.CITY.name), f"stream {topology.CITY.name}")]
        checks += [
            _present(self.js.consumer_info(c.stream, c.durable), f"consumer {c.durable}") for c in wanted
        ]
        return [name for name in await asyncio.gather(*checks) if name]

    async def _reconnected(self) -> None:
        log.info("bus reconnected")
        for callback in self._on_connect:
            callback()

    async def _closed(self) -> None:
        if not self._stopping:
            log.error("bus closed for good; leaving so that the supervisor starts anew")
            os.kill(os.getpid(), signal.SIGTERM)


async def _quiet(error: Exception) -> None:
    log.debug("bus", error=repr(error))


async def _present(call: Awaitable[Any], name: str) -> str | None:
    try:
        await asyncio.wait_for(call, 2)
    except (NatsError, TimeoutError):
        return name
    return None


def parse(body: bytes, subject: str) -> Envelope[Any]:
    """An event's bytes as its envelope; raises Malformed."""
    fact = fact_of(subject)
    try:
        return Envelope[fact].model_validate_json(body)  # type: ignore[valid-type]
    except ValidationError as error:
        raise Malformed(str(error)[:1000]) from error


def fact_of(subject: str) -> type[Fact]:
    """The event type of a subject; a bare `Fact`, which still carries the card, for one from a newer service."""
    parts = subject.split(".")
    return EVERY.get(".".join(parts[-5:-1]), Fact)


def listen(bus: Bus, listener: topology.Listener) -> Callable[[Handler], Handler]:
    """Decorate the function that handles this listener's events, one call = one transaction."""

    def register(handler: Handler) -> Handler:
        async def consume(message: NatsMessage) -> None:
            await handle(
                message.raw_message, listener.name, bus.js, lambda event: run_in_threadpool(handler, event)
            )

        for durable in listener.durables:
            subscriber = bus.broker.subscriber(
                durable.filters[0],
                durable=durable.durable,
                stream=JStream(durable.stream, declare=False),
                pull_sub=PullSub(batch_size=BATCH, timeout=FETCH_SECONDS),
                ack_policy=AckPolicy.MANUAL,
            )
            subscriber(consume)
        return handler

    return register


async def handle(
    message: Msg, consumer: str, js: JetStreamContext, effect: Callable[[Envelope[Any]], Awaitable[None]]
) -> None:
    """Give one delivered event to `effect` and settle it: acknowledged, tried again later, or dead."""
    span = telemetry.consuming(message.subject, message.headers, consumer)
    with trace.use_span(span, end_on_exit=True):
        try:
            await effect(parse(message.data, message.subject))
        except Exception as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR, type(error).__name__)
            await settle_failure(message, consumer, js, error)
        else:
            await message.ack()
            HANDLED.labels(consumer, "done").inc()


async def settle_failure(message: Msg, consumer: str, js: JetStreamContext, error: Exception) -> None:
    """Wait for an absent dependency, try a bug a few times, bury what cannot be handled."""
    attempts = message.metadata.num_delivered
    if isinstance(error, WAIT_FOR) or (attempts < MAX_ATTEMPTS and not isinstance(error, Malformed)):
        HANDLED.labels(consumer, "retry").inc()
        log.warning("event waits", consumer=consumer, subject=message.subject, error=repr(error)[:300])
        await message.nak(delay=min(0.5 * 2 ** min(attempts, 10), MAX_DELAY_SECONDS))
        return
    await bury(message, consumer, js, error)


async def bury(message: Msg, consumer: str, js: JetStreamContext, error: Exception) -> None:
    """Put the event into DEAD with the reason, then take it off its stream; later, if DEAD cannot take it now."""
    try:
        await js.publish(
            topology.dead_subject(consumer, message.subject),
            message.data,
            headers=_obituary(message, consumer, error),
        )
    except (NatsError, TimeoutError):
        await message.nak(delay=5)
        return
    await message.term()
    HANDLED.labels(consumer, "dead").inc()
    log.error("event is dead", consumer=consumer, subject=message.subject, error=repr(error)[:300])


def _obituary(message: Msg, consumer: str, error: Exception) -> dict[str, str]:
    origin = message.metadata
    headers = {key: value for key, value in (message.headers or {}).items() if key != "Nats-Msg-Id"}
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    return headers | {
        "Nats-Msg-Id": f"{consumer}:{origin.stream}:{origin.sequence.stream}",
        "Coburg-Consumer": consumer,
        "Coburg-Reason": " ".join(str(error).split())[:500] or type(error).__name__,
        "Coburg-Exception": type(error).__name__
        + "".join(f" at {f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in frame),
        "Coburg-Attempts": str(origin.num_delivered),
        "Coburg-Subject": message.subject,
        "Coburg-Stream": origin.stream,
        "Coburg-Sequence": str(origin.sequence.stream),
        "Coburg-Time": datetime.now(UTC).isoformat(),
    }
