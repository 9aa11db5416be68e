"""docs/partners.md, as a stranger follows it: webhook and Server-Sent Events (NATS: tests/deploy/test_partner_example.py)."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cli.home import ROOT
from tests.notify.conftest import Notify
from tests.stack import end
from tests.waiting import until

GUIDE = (ROOT / "docs" / "partners.md").read_text()
SHELL = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
[STREAM] = [each for each in SHELL if "/v1/stream" in each]
[SET_UP] = [each for each in SHELL if "/v1/webhooks" in each]
[RECEIVER] = [
    each for each in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "standardwebhooks" in each
]


@contextmanager
def running(*command: str, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        end(child)  # type: ignore[arg-type]


def line(child: "subprocess.Popen[str]", word: str) -> str:
    """The next line that holds the word."""
    assert child.stdout is not None
    return next(each for each in child.stdout if word in each)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_webhook_is_set_up_tried_and_told(notify: Notify) -> None:
    port = free_port()
    own = {"NOTIFY_URL": notify.stack.url("notify"), "TOKEN": notify.stack.token("partner", subject="guide")}
    command = SET_UP.replace("https://example.org/town", f"http://127.0.0.1:{port}/town")
    answer = subprocess.run(
        ["bash", "-ec", command], env={**os.environ, **own}, capture_output=True, check=True, text=True
    )
    hook = json.loads(answer.stdout)
    headers = {"Authorization": f"Bearer {own['TOKEN']}"}
    with running(sys.executable, "-c", RECEIVER, WEBHOOK_SECRET=hook["secret"], PORT=str(port)) as child:
        until(lambda: listens(port))
        notify.http.post(f"/v1/webhooks/{hook['id']}/test", headers=headers).raise_for_status()
        assert line(child, "webhook.tested").split()[1] == "test"
        offer = notify.offer("Schwimmen")
        assert line(child, offer).split() == ["de.coburg.offers.offer.published.v1", offer]
        told = notify.http.get(f"/v1/webhooks/{hook['id']}/deliveries", headers=headers).json()["items"]
        assert any(offer in each["thing"] for each in told)
    notify.http.delete(f"/v1/webhooks/{hook['id']}", headers=headers)


def test_the_open_stream_tells_what_happens(notify: Notify) -> None:
    with running("bash", "-c", f"exec {STREAM}", NOTIFY_URL=notify.stack.url("notify")) as child:
        line(child, "retry:")  # it is open
        offer = notify.offer("Krippe", board="kita")
        place = line(child, "id:")
        event = json.loads(line(child, "data:").partition(":")[2])
        assert event["subject"] == offer
        assert int(place.partition(":")[2]) > 0
