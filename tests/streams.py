"""A broker's streams, made anew for a test."""

import nats

from libs.provision.streams import provision


async def fresh_streams(nats_url: str) -> None:
    """Every stream as topology says, with nothing in it."""
    await no_streams(nats_url)
    client = await nats.connect(nats_url)
    await provision(client.jetstream())
    await client.close()


async def no_streams(nats_url: str) -> None:
    """An empty broker."""
    client = await nats.connect(nats_url)
    js = client.jetstream()
    for stream in await js.streams_info():
        await js.delete_stream(str(stream.config.name))
    await client.close()
