"""Make the streams and durables of `libs.contracts.topology` exist as written there: `python -m libs.provision`.

Idempotent: what is there is updated, nothing is deleted, and no event is lost.
"""

import asyncio
import os
import sys

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from libs.contracts import topology

# A broker under load, or one that has just started, may take its time.
ANSWER_SECONDS = 15.0


async def provision(js: JetStreamContext) -> list[str]:
    """Create or update every stream and durable; returns their names. Raises nats errors."""
    for stream in topology.STREAMS:
        await _stream(js, stream)
    for consumer in topology.CONSUMERS:
        await js.add_consumer(consumer.stream, config=_consumer_config(consumer))
    return [stream.name for stream in topology.STREAMS] + [
        consumer.durable for consumer in topology.CONSUMERS
    ]


async def _stream(js: JetStreamContext, stream: topology.Stream) -> None:
    config = _stream_config(stream)
    try:
        await js.stream_info(stream.name)
    except NotFoundError:
        await js.add_stream(config)
    else:
        await js.update_stream(config)


def _stream_config(stream: topology.Stream) -> api.StreamConfig:
    return api.StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects) or None,
        sources=[_source(stream)] if stream.source else None,
        max_age=stream.max_age,
        max_msgs_per_subject=stream.max_per_subject,
        max_msg_size=topology.MAX_EVENT_BYTES + 16 * 1024,
        duplicate_window=stream.duplicate_window,
        storage=api.StorageType.FILE,
        allow_direct=True,
        allow_msg_ttl=True,
        num_replicas=int(os.environ.get("COBURG_NATS_REPLICAS", "1")),
    )


def _source(stream: topology.Stream) -> api.StreamSource:
    transforms = [api.SubjectTransform(*stream.transform)] if stream.transform else None
    return api.StreamSource(name=str(stream.source), subject_transforms=transforms)


def _consumer_config(consumer: topology.Consumer) -> api.ConsumerConfig:
    return api.ConsumerConfig(
        durable_name=consumer.durable,
        filter_subjects=list(consumer.filters),
        ack_policy=api.AckPolicy.EXPLICIT,
        deliver_policy=api.DeliverPolicy.ALL,
        ack_wait=consumer.ack_wait,
        max_ack_pending=consumer.max_in_flight,
        max_waiting=64,
    )


async def main() -> None:
    """Provision the broker named by COBURG_NATS_URL."""
    url = os.environ.get("COBURG_NATS_URL", "nats://127.0.0.1:4222")
    client = await nats.connect(
        url,
        connect_timeout=ANSWER_SECONDS,
        max_reconnect_attempts=2,
        reconnect_time_wait=1,
        error_cb=_quiet,
    )
    try:
        print("provisioned:", ", ".join(await provision(client.jetstream(timeout=ANSWER_SECONDS))))
    finally:
        await client.close()


async def _quiet(_error: Exception) -> None:
    """The client prints a traceback for each attempt; the last error is raised and said once."""


def run() -> None:
    """The whole command; ends the process with one line when the broker cannot be reached."""
    try:
        asyncio.run(main())
    except (NatsError, OSError) as error:
        sys.exit(f"provision: {type(error).__name__}: {error}")
