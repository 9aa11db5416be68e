"""`up`, `status` and `down` on the real thing: everything starts, comes back, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli import register, state
from cli.broker import Broker
from cli.components import SERVICES
from cli.home import ROOT, Home
from cli.processes import Process
from libs.provision.partners import Partner
from tests.cli.conftest import Coburg
from tests.stack import free_port_base, plain_environment

EVERYTHING = {"nats", "meilisearch", "mailbox", *SERVICES}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("supervised")
    own = {"COBURG_HOME": str(folder), "COBURG_PORT_BASE": str(free_port_base())}
    home = Home.of(plain_environment() | own)
    reader, guest = (Partner(name, ("offers.*",), "$2a$04$x", "2020-01-01") for name in ("reader", "guest"))
    register.save(folder, [reader, replace(guest, until="2020-01-02")])
    yield home
    subprocess.run([sys.executable, "-m", "cli", "down"], env=home.environ, cwd=ROOT, check=False)


def up(home: Home, coburg: Coburg) -> state.State:
    """Brings the stack up if it is not, and returns what runs."""
    result = coburg(home.environ, "up", "--detach")
    assert result.returncode == 0, result.stderr
    current = state.running(home)
    assert current is not None
    return current


def components(home: Home, coburg: Coburg) -> dict[str, Any]:
    printed = coburg(home.environ, "status", "--json").stdout
    return {each["component"]: each for each in json.loads(printed)}


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)  # a look may be a command, which costs more than the pause


def test_up_returns_when_everything_is_ready_and_does_so_again(home: Home, coburg: Coburg) -> None:
    up(home, coburg)

    status = components(home, coburg)
    assert set(status) == EVERYTHING
    assert all(each["ready"] and each["memory_mb"] for each in status.values())
    assert coburg(home.environ, "status").returncode == 0
    assert "Already up" in coburg(home.environ, "up").stdout


def test_partners_get_their_streams_at_the_start(home: Home, coburg: Coburg) -> None:
    """The one whose time was over is gone, the other hears from the broker's first day on."""
    up(home, coburg)

    assert [each.name for each in register.load(home.folder)] == ["reader"]
    streams = Broker(home).ask(lambda client: client.jetstream().streams_info())
    assert sorted(each.config.name or "" for each in streams) == ["CITY-reader", "STATE-reader"]


def test_a_killed_component_comes_back(home: Home, coburg: Coburg) -> None:
    killed = up(home, coburg).components["offers"].process
    assert killed
    os.kill(killed.pid, signal.SIGKILL)

    eventually(lambda: not killed.alive())
    eventually(lambda: components(home, coburg)["offers"]["ready"])

    again = components(home, coburg)["offers"]
    assert again["restarts"] == 1
    assert again["pid"] != killed.pid


def test_a_killed_supervisor_leaves_no_orphans_and_the_next_up_works(home: Home, coburg: Coburg) -> None:
    before = up(home, coburg)
    os.kill(before.supervisor.pid, signal.SIGKILL)

    after = up(home, coburg)

    assert not any(process.alive() for process in before.processes())
    assert after.supervisor != before.supervisor
    assert all(each["ready"] for each in components(home, coburg).values())


def test_down_stops_everything_and_may_be_repeated(home: Home, coburg: Coburg) -> None:
    ran = up(home, coburg)

    assert "Stopped." in coburg(home.environ, "down").stdout

    assert not any(process.alive() for process in [ran.supervisor, *ran.processes()])
    assert coburg(home.environ, "down").returncode == 0
    assert coburg(home.environ, "status").returncode == 1


def test_a_taken_port_is_named(home: Home, coburg: Coburg) -> None:
    coburg(home.environ, "down")
    with socket.create_server(("127.0.0.1", home.port(22, 4222))):
        result = coburg(home.environ, "up", "--detach")

    assert result.returncode == 1
    assert f"Port {home.port(22, 4222)} (nats) is taken" in result.stderr
    assert "COBURG_PORT_BASE=" in result.stderr


def test_a_component_that_can_not_start_says_why(tmp_path: Path, coburg: Coburg) -> None:
    environ = plain_environment() | {"COBURG_HOME": str(tmp_path), "COBURG_PORT_BASE": str(free_port_base())}
    broken = {"COBURG_MAX_BODY_BYTES": "-1"}

    result = coburg(environ | broken, "up", "--detach")

    assert result.returncode == 1
    assert "ended with exit code" in result.stderr
    assert "max_body_bytes" in result.stderr
    assert coburg(environ, "status").returncode == 1


def test_leftovers_are_told_from_strangers_that_got_their_pid(tmp_path: Path) -> None:
    home = Home.of({"COBURG_HOME": str(tmp_path)})
    with subprocess.Popen(["sleep", "60"], process_group=0) as stranger:
        recorded = state.Running("", "", 0, Process(stranger.pid, "another birth"))
        state.State(Process.of(os.getpid()), components={"nats": recorded}).save(home)

        assert state.reap(home) == []
        assert stranger.poll() is None
        stranger.kill()


def test_ctrl_c_stops_a_stack_in_the_foreground(home: Home, coburg: Coburg) -> None:
    coburg(home.environ, "down")
    child = subprocess.Popen([sys.executable, "-m", "cli", "up", "-q"], env=home.environ, cwd=ROOT)
    eventually(lambda: bool((current := state.running(home)) and current.phase == state.READY), 60)
    ran = state.running(home)

    child.send_signal(signal.SIGINT)

    assert child.wait(30) == 0
    assert ran and not any(process.alive() for process in ran.processes())
