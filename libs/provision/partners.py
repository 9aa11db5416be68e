"""Make the partners' copies of CITY and STATE, in the partners' own account: `python -m libs.provision.partners`.

Idempotent. The copies follow by themselves; what is deleted from the originals must be deleted from them too.
"""

import asyncio
import os
import sys

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext, api
from nats.js.errors import NotFoundError

from libs.contracts import topology

COPIED = (topology.CITY, topology.STATE)
INBOX = "_INBOX.librarian"  # all that this user may listen to
# The subjects under which deploy/nats/nats.conf lets the partners' account ask for and receive the originals.
ORIGINALS = api.ExternalStream(api="copy", deliver="deliver.partners")


async def copy(js: JetStreamContext) -> list[str]:
    """Create or update both copies; returns their names. Raises nats errors."""
    for stream in COPIED:
        try:
            await js.stream_info(stream.name)
        except NotFoundError:
            await js.add_stream(_config(stream))
        else:
            await js.update_stream(_config(stream))
    return [stream.name for stream in COPIED]


def _config(stream: topology.Stream) -> api.StreamConfig:
    return api.StreamConfig(
        name=stream.name,
        mirror=api.StreamSource(name=stream.name, external=ORIGINALS),
        max_age=stream.max_age,
        max_msgs_per_subject=stream.max_per_subject,
        allow_msg_ttl=True,
        storage=api.StorageType.FILE,
        num_replicas=int(os.environ.get("COBURG_NATS_REPLICAS", "1")),
    )


async def main() -> None:
    """Make the copies through the user named by COBURG_PARTNERS_NATS_URL."""
    url = os.environ["COBURG_PARTNERS_NATS_URL"]
    client = await nats.connect(url, connect_timeout=5, inbox_prefix=INBOX)
    try:
        print("copied for partners:", ", ".join(await copy(client.jetstream())))
    finally:
        await client.close()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (NatsError, OSError) as error:
        sys.exit(f"partners: {type(error).__name__}: {error}")
