"""A full disk is an outage like any other: refused quickly, told by readiness, over when there is room again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nats
import pytest
from nats.errors import Error as NatsError

from cli import components, keys, state
from cli.home import ROOT, Home
from cli.logs import Log
from libs.servicekit import disk
from tests.cli.conftest import Coburg
from tests.stack import free_port_base, plain_environment
from tests.waiting import until

OFFER = {
    "board": "kita",
    "publish": True,
    "content": {"title": {"de": "Kita am Bach"}, "fields": {"facility": "daycare"}},
}
RATING = "city.search.result.rated.v1.x"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 120 MB."""
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=120m", "none", tmp_path], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip(f"a disk of a size of its own cannot be mounted here: {mount.stderr.decode().strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)


@pytest.fixture
def home(small: Path) -> Iterator[Home]:
    own = {"COBURG_HOME": str(small / "home"), "COBURG_PORT_BASE": str(free_port_base())}
    home = Home.of(plain_environment() | own)
    yield home
    subprocess.run([sys.executable, "-m", "cli", "down"], env=home.environ, cwd=ROOT, check=False)


def ask(url: str, body: object = None, token: str = "") -> int:
    """The status of an answer, 0 when there is none within ten seconds."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    data = json.dumps(body).encode() if body else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def fill(small: Path) -> Path:
    """Takes all the room there is."""
    with (small / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(2**20)):
            pass
    return small / "fill"


async def told(home: Home, seconds: float = 1.5) -> bool:
    """Whether the broker keeps an event."""
    client = await nats.connect(components.nats_url(home), max_reconnect_attempts=1)
    try:
        await client.jetstream().publish(RATING, bytes(100_000), timeout=seconds)
    except (NatsError, TimeoutError):
        return False
    finally:
        await client.close()
    return True


def test_everything_goes_on_when_a_full_disk_is_free_again(home: Home, small: Path, coburg: Coburg) -> None:
    result = coburg(home.environ, "up", "--detach")
    assert result.returncode == 0, result.stderr
    offers, search = components.service_url(home, "offers"), components.service_url(home, "search")
    token = keys.token(home, ["editor"], [], 1, "test")
    assert ask(f"{offers}/v1/offers", OFFER, token) == 201

    filled = fill(small)
    assert not asyncio.run(told(home))
    assert [ask(f"{offers}/v1/offers", OFFER, token) for _ in range(5)] == [503] * 5
    assert ask(f"{offers}/health/ready") == ask(f"{search}/health/ready") == 503
    running = state.running(home)
    assert running
    killed = running.components["offers"].process
    assert killed
    os.kill(killed.pid, signal.SIGKILL)
    until(lambda: not killed.alive())

    filled.unlink()
    until(lambda: ask(f"{offers}/v1/offers", OFFER, token) == 201, 60)
    until(lambda: asyncio.run(told(home)))
    until(lambda: ask(f"{search}/health/ready") == ask(f"{offers}/health/ready") == 200)
    until(lambda: coburg(home.environ, "status").returncode == 0)
    assert running.supervisor.alive()


def test_a_log_outlives_a_full_disk_and_has_a_bound(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.logs.LIMIT", 1000)
    home = Home.of({"COBURG_HOME": str(small)})
    home.logs.mkdir()
    log = Log(home, "offers", None)
    filled = fill(small)
    for _ in range(50):
        log.keep(b"x" * 4096)
    filled.unlink()
    for number in range(10):
        log.keep(b"%04d " % number * 100)
    assert log.tail().endswith("0009 ")
    assert sum(each.stat().st_size for each in home.logs.iterdir()) < 4000


def test_readiness_names_a_disk_without_room(small: Path) -> None:
    assert disk.shortage(small / "not" / "there" / "yet") is None
    fill(small)
    assert "room on the disk" in str(disk.shortage(small))
