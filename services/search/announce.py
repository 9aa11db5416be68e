"""Facts that search itself tells. It has no database, hence no outbox: who tells a fact waits until the broker keeps it."""

from datetime import UTC, datetime

from nats.errors import Error as NatsError
from uuid_utils import uuid7

from libs.bus.connection import Bus
from libs.contracts import topology
from libs.contracts.event import Fact, envelope
from libs.servicekit.outages import Transient
from libs.servicekit.settings import Settings
from libs.telemetry import spans

KEPT_SECONDS = 2.0


class Announcer:
    """Publishes facts, each about a thing of its own that never changes: its version is 1."""

    def __init__(self, settings: Settings) -> None:
        self._service = settings.service
        self._prefix = settings.town["event_prefix"]
        self._schemas = f"{settings.public_url}/v1/events"

    async def publish(self, bus: Bus, fact: Fact, event_id: str | None = None) -> str:
        """The event's id, once the broker keeps it; an id that it knows already is not told twice. Raises Transient."""
        event_id = event_id or str(uuid7())
        event = envelope(
            fact,
            event_id=event_id,
            subject=event_id,
            version=1,
            time=datetime.now(UTC),
            prefix=self._prefix,
            schema_base=self._schemas,
            traceparent=spans.traceparent(),
            source=self._service,
        )
        subject, body = fact.subject(event_id), event.to_bytes()
        with spans.publishing(subject, event.traceparent, event.time) as traceparent:
            headers = {"Nats-Msg-Id": event_id} | ({"traceparent": traceparent} if traceparent else {})
            if not bus.connected:
                raise Transient("the broker is away")
            try:
                await bus.js.publish(
                    subject, body, timeout=KEPT_SECONDS, headers=headers, msg_ttl=topology.ends_after(subject)
                )
            except (NatsError, TimeoutError) as error:
                raise Transient(repr(error)) from error
        return event_id
