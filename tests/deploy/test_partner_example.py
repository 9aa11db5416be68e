"""The example in docs/partners.md, as a partner runs it."""

import asyncio
import json
import os
import re
import subprocess
import sys
from typing import Any

from cli.home import ROOT
from libs.contracts import golden
from tests.deploy.conftest import Broker
from tests.stack import end

[EXAMPLE] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "partners.md").read_text(), flags=re.DOTALL)
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


def test_it_hears_what_there_is_and_then_what_happens(broker: Broker) -> None:
    published = example("offers.offer.published.v1", "2-full")
    changed = example("offers.offer.changed.v1", "2-full")
    board = example("offers.board.published.v1", "2-full")
    withdrawn = example("offers.offer.withdrawn.v1", "2-tombstone")
    asyncio.run(publish(broker, board, published, changed))
    asyncio.run(broker.alike("STATE"))
    environ = {**os.environ, "NATS_URL": broker.url("partner")}
    child = subprocess.Popen([sys.executable, "-c", EXAMPLE], env=environ, stdout=subprocess.PIPE, text=True)
    try:
        offer = f"offers offer {changed['subject']}"
        assert heard(child, 2) == ["offers board kita Kita-Börse", f"{offer} Ein Krippenplatz ab September"]
        asyncio.run(publish(broker, published, withdrawn))
        assert heard(child, 1) == [f"{offer} gone"]
    finally:
        end(child)  # type: ignore[arg-type]
