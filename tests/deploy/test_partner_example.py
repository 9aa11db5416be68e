"""The NATS examples in docs/partners.md, as a partner runs them: Python, and the official JavaScript client."""

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli import node
from cli.home import ROOT
from libs.contracts import golden
from tests.deploy.conftest import Broker
from tests.stack import end

DOCUMENT = (ROOT / "docs" / "partners.md").read_text()
[EXAMPLE] = [
    code for code in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL) if "import nats" in code
]
[JAVASCRIPT] = re.findall(r"```js\n(.*?)```", DOCUMENT, flags=re.DOTALL)
Event = dict[str, Any]


def example(name: str, stem: str) -> Event:
    return golden.events(name)[stem]


async def publish(broker: Broker, *events: Event) -> None:
    async with broker.connected("offers") as offers:
        for event in events:
            name = ".".join(event["type"].split(".")[-4:])
            await offers.client.jetstream().publish(
                f"city.{name}.{event['subject']}", json.dumps(event).encode()
            )


def heard(child: "subprocess.Popen[str]", lines: int) -> list[str]:
    assert child.stdout is not None
    return [child.stdout.readline().strip() for _ in range(lines)]


def partner(broker: Broker, name: str, *command: str, **more: str) -> "subprocess.Popen[str]":
    own = {
        "NATS_URL": f"nats://127.0.0.1:{broker.port}",
        "NATS_USER": name,
        "NATS_PASSWORD": broker.password(name),
    }
    environ = {**os.environ, **own, **more}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_it_hears_what_there_is_and_then_what_happens(broker: Broker) -> None:
    published = example("offers.offer.published.v1", "2-full")
    changed = example("offers.offer.changed.v1", "2-full")
    board = example("offers.board.published.v1", "2-full")
    withdrawn = example("offers.offer.withdrawn.v1", "2-tombstone")
    asyncio.run(publish(broker, board, published, changed))
    asyncio.run(broker.alike())
    child = partner(broker, "partner", sys.executable, "-c", EXAMPLE)
    try:
        offer = f"offers offer {changed['subject']}"
        assert heard(child, 2) == ["offers board kita Kita-Börse", f"{offer} Ein Krippenplatz ab September"]
        asyncio.run(publish(broker, published, withdrawn))
        assert heard(child, 1) == [f"{offer} gone"]
    finally:
        end(child)  # type: ignore[arg-type]


def test_the_javascript_client_goes_on_where_it_stopped(broker: Broker, tmp_path: Path) -> None:
    """From a date on, only its types, as a durable; and revoking ends it."""
    published, withdrawn = (
        example("offers.offer.published.v1", "2-full"),
        example("offers.offer.withdrawn.v1", "2-tombstone"),
    )
    board = example("offers.board.published.v1", "2-full")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "partner.mjs").write_text(JAVASCRIPT)
    command = (node.node(), str(tmp_path / "partner.mjs"))
    asyncio.run(publish(broker, published))
    since = datetime.now(UTC).isoformat()
    asyncio.run(publish(broker, board, withdrawn))
    broker.admit("library", "offers.offer.*")
    child = partner(broker, "library", *command, SINCE=since)
    try:
        [first] = heard(child, 1)
        assert first.split()[1:] == [withdrawn["id"], withdrawn["type"], withdrawn["subject"]]
    finally:
        end(child)  # type: ignore[arg-type]
    asyncio.run(publish(broker, published))
    child = partner(broker, "library", *command)
    try:
        [second] = heard(child, 1)
        assert second.split()[1] == published["id"]
        assert int(second.split()[0]) == int(first.split()[0]) + 1, "the sequence is the original's"
        broker.revoke("library")
        child.wait(10)  # it is cut off, and has nothing more to do
    finally:
        end(child)  # type: ignore[arg-type]
