"""A PostgreSQL whose disk is full: writes are refused quickly and told to come back, nothing is lost, and all is well when there is
room again."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Postgres, place
from tests.stack import Stack
from tests.system.conftest import UNLIMITED
from tests.system.town import Town, content, unique_word
from tests.waiting import until

SIZE = "160m"
QUICK_SECONDS = 10


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, Path]]:
    """A server on a small disk of its own, and that disk."""
    disk = Path(place(("/tmp", "/var/tmp"))) / f"coburg-disk-{os.getpid()}"
    disk.mkdir(mode=0o755)
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", disk], check=False, capture_output=True
    )
    if mount.returncode:
        disk.rmdir()
        pytest.skip(f"a disk of a size of its own cannot be mounted here: {mount.stderr.decode().strip()}")
    try:
        (disk / "server").mkdir(mode=0o755)
        server = Postgres(disk / "server")
        try:
            yield server, disk
        finally:
            server.stop()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


def fill(disk: Path) -> Path:
    """Takes all the room there is."""
    with (disk / "fill").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(2**20)):
            pass
    return disk / "fill"


def test_a_full_database_refuses_and_loses_nothing(server: tuple[Postgres, Path], tmp_path: Path) -> None:
    database, disk = server
    with Stack(tmp_path, **UNLIMITED, COBURG_OFFERS_DATABASE_URL=database.url) as stack:
        stack.start("nats").provision()
        stack.launch("offers")
        town = Town(stack)
        accepted = [town.create(content(unique_word())).raise_for_status().json()["id"]]
        filled = fill(disk)
        refused = 0
        while refused < 3:
            began = time.monotonic()
            answer = town.create(content("Wort " * 500 + unique_word()))
            assert time.monotonic() - began < QUICK_SECONDS
            if answer.status_code == 201:  # there was still room in what it had laid out before
                accepted.append(answer.json()["id"])
                continue
            assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
            refused += 1
        filled.unlink()
        if not alive(
            database
        ):  # without room for its journal it leaves, and whoever looks after it starts it again
            database.start()
        until(lambda: town.create(content(unique_word())).status_code == 201, 30)
        assert all(town.offers.get(f"/v1/offers/{each}").status_code == 200 for each in accepted)
        town.close()


def alive(server: Postgres) -> bool:
    try:
        psycopg.connect(server.url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
