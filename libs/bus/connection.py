"""The bus as a service sees it: one connection to NATS that never gives up and says at any moment whether it stands.

FastStream's broker makes the connection; what is listened to is pulled by `libs/bus/pull.py` (ADR 20).
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from prometheus_client import Gauge

from libs.contracts import topology

ANSWER_SECONDS = 2.0
AGAIN_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0

log = structlog.get_logger(__name__)
CONNECTED = Gauge("bus_connected", "1 while the broker is connected")


def inbox(user: str) -> str:
    """Where answers to a user go: to subjects of its own, which nobody else of its account may listen to."""
    return f"_INBOX.{user}"


class _Connection(NatsBroker):
    """FastStream's broker, but no error ends the search for a server: its own callback raises some of them inside
    nats-py's reconnecting task, which dies of it and leaves a connection that never comes back."""

    def _log_connection_broken(self, error_cb: Any = None) -> Any:
        return error_cb


class Bus:
    """The connection of one user, whose `name` it bears, to NATS."""

    def __init__(self, url: str, name: str) -> None:
        self._on_connect: list[Callable[[], Any]] = []
        self._stopping = False
        self._standing = asyncio.Event()
        self.broker = _Connection(
            url,
            name=name,
            inbox_prefix=inbox(name),
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=_quiet,
            disconnected_cb=self._disconnected,
            reconnected_cb=self._reconnected,
            closed_cb=self._closed,
            logger=None,
        )

    async def start(self) -> None:
        """Connect, waiting for the broker if need be."""
        pause = AGAIN_SECONDS
        while True:
            try:
                await self.broker.connect()
                break
            except (NatsError, OSError, TimeoutError) as error:
                log.warning("bus not ready", error=type(error).__name__, detail=str(error)[:200])
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        self._stands(True)
        log.info("bus connected")

    async def stop(self) -> None:
        """Finish what is being sent and close the connection."""
        self._stopping = True
        await self.broker.stop()
        self._stands(False)

    @contextmanager
    def on_reconnect(self, callback: Callable[[], Any]) -> Iterator[None]:
        """Call when the broker is back after an outage, as long as the block lasts."""
        self._on_connect.append(callback)
        try:
            yield
        finally:
            self._on_connect.remove(callback)

    @property
    def connected(self) -> bool:
        """Whether the broker can be spoken to right now. While it cannot, nothing may be sent: nats-py would keep it."""
        return self._standing.is_set() and self.client.is_connected

    async def standing(self) -> None:
        """Wait until the connection stands."""
        await self._standing.wait()

    @property
    def client(self) -> Client:
        """The NATS connection; raises before `start`."""
        return self.broker.connection

    @property
    def js(self) -> JetStreamContext:
        """JetStream on this connection."""
        return self.client.jetstream()

    async def missing(
        self, streams: Sequence[topology.Stream], listeners: Sequence[topology.Listener]
    ) -> list[str]:
        """What is not there of these streams and of these listeners' durables (a deleted durable is silent)."""
        if not self.connected:
            return ["broker"]
        durables = [durable for listener in listeners for durable in listener.durables]
        wanted = {stream.name for stream in streams} | {durable.stream for durable in durables}
        checks = [_present(self.js.stream_info(name), f"stream {name}") for name in sorted(wanted)]
        checks += [
            _present(self.js.consumer_info(c.stream, c.durable), f"consumer {c.durable}") for c in durables
        ]
        return [name for name in await asyncio.gather(*checks) if name]

    def _stands(self, connected: bool) -> None:
        CONNECTED.set(connected)
        if connected:
            self._standing.set()
        else:
            self._standing.clear()

    async def _disconnected(self) -> None:
        self._stands(False)
        if not self._stopping:
            log.warning("bus disconnected")

    async def _reconnected(self) -> None:
        log.info("bus reconnected")
        self._stands(True)
        for callback in tuple(self._on_connect):
            callback()

    async def _closed(self) -> None:
        self._stands(False)
        if not self._stopping:
            log.error("bus closed for good; leaving so that the supervisor starts anew")
            os.kill(os.getpid(), signal.SIGTERM)


async def _quiet(error: Exception) -> None:
    log.debug("bus", error=repr(error))


async def _present(call: Awaitable[Any], name: str) -> str | None:
    try:
        await asyncio.wait_for(call, ANSWER_SECONDS)
    except (NatsError, TimeoutError):
        return name
    return None
