"""`coburg partner` on the embedded broker: credentials at once, refused at once, over in time; older data stays."""

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bcrypt
import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from cli import components, partners, register, state
from cli.errors import Trouble
from cli.home import ROOT
from cli.processes import Process
from tests.cli.conftest import Coburg
from tests.stack import Stack
from tests.waiting import eventually

FACT = "city.offers.offer.published.v1.a"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A broker with its streams, as a supervisor would have written it down."""
    with Stack(tmp_path_factory.mktemp("partners")) as stack:
        stack.start("nats").provision()
        component = stack.component("nats")
        process = Process.of(stack.children["nats"].pid)
        nats = state.Running(component.url, component.probe, component.port, process, state.READY)
        state.State(Process.of(os.getpid()), state.READY, components={"nats": nats}).save(stack.home)
        yield stack


async def connect(stack: Stack, given: partners.Credentials) -> Client:
    return await nats.connect(
        stack.url("nats"),
        user=given.name,
        password=given.password,
        inbox_prefix=given.inbox_prefix,
        allow_reconnect=False,
        max_reconnect_attempts=0,
    )


async def let_in(stack: Stack, given: partners.Credentials) -> bool:
    """Whether the broker takes the password; a connection that it does not take ends by itself."""
    try:
        await (await connect(stack, given)).close()
    except (NatsError, ConnectionError):
        return False
    return True


def test_a_partner_is_let_in_hears_and_is_cut_off(stack: Stack, coburg: Coburg) -> None:
    added = coburg(stack.home.environ, "partner", "add", "museum", "--types", "offers.*", "--json")
    assert added.returncode == 0, added.stderr
    given = partners.Credentials(**json.loads(added.stdout))

    async def scenario() -> None:
        await eventually(lambda: let_in(stack, given))
        town, museum = await nats.connect(stack.url("nats")), await connect(stack, given)
        await town.jetstream().publish(FACT, b"{}")
        await town.jetstream().publish("city.search.result.rated.v1.a", b"{}")
        heard = await museum.jetstream().pull_subscribe("", "app", given.streams[0])
        [message] = await heard.fetch(1, timeout=5)
        assert message.subject == FACT
        with pytest.raises(NatsError):
            await heard.fetch(1, timeout=0.3)
        listed = coburg(stack.home.environ, "partner", "list")
        assert "museum   offers.*" in listed.stdout
        assert given.password not in listed.stdout
        revoked = await asyncio.to_thread(coburg, stack.home.environ, "partner", "revoke", "museum")
        assert revoked.returncode == 0, revoked.stderr

        async def cut() -> bool:
            return bool(museum.is_closed)

        await eventually(cut, 3)
        assert not await let_in(stack, given)
        assert town.is_connected, "nobody else notices"
        await town.close()

    asyncio.run(scenario())
    assert json.loads(coburg(stack.home.environ, "partner", "list", "--json").stdout) == []


def test_a_password_is_kept_as_a_hash_only(stack: Stack) -> None:
    given = partners.add(stack.home, "hashed", ["offers.*"], None)
    [kept] = [each for each in register.load(stack.home.folder) if each.name == "hashed"]
    assert bcrypt.checkpw(given.password.encode(), kept.password.encode())
    files = [each for each in stack.home.folder.rglob("*") if each.is_file()]
    assert not [each for each in files if given.password.encode() in each.read_bytes()]
    assert (stack.home.folder / register.FILE).stat().st_mode & 0o077 == 0


def test_who_is_over_is_cut_off_by_the_next_look(stack: Stack) -> None:
    given = partners.add(stack.home, "guest", ["offers.*"], partners.town_day(stack.home))

    async def scenario() -> None:
        await eventually(lambda: let_in(stack, given))
        guest = await connect(stack, given)
        with register.alone(stack.home.folder) as known:
            aged = [replace(each, until="2020-01-01") if each.name == "guest" else each for each in known]
            register.save(stack.home.folder, aged)
        await asyncio.to_thread(partners.settle, stack.home)

        async def cut() -> bool:
            return bool(guest.is_closed)

        await eventually(cut, 3)

    asyncio.run(scenario())
    assert "guest" not in {each.name for each in register.load(stack.home.folder)}


def test_the_seed_lets_two_partners_in_once(stack: Stack) -> None:
    file = ROOT / "city" / "demo" / "partners.toml"
    assert [each.name for each in partners.admit(stack.home, file)] == ["bibliothek", "regionalportal"]
    assert partners.admit(stack.home, file) == []


def test_who_is_added_or_revoked_while_all_is_down_counts_from_the_next_start(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        early, late = (partners.add(stack.home, name, ["offers.*"], None) for name in ("early", "late"))
        partners.revoke(stack.home, "late")
        stack.start("nats").provision()

        async def scenario() -> None:
            assert await let_in(stack, early)
            assert not await let_in(stack, late)

        asyncio.run(scenario())


def test_a_broker_of_somebody_else_needs_a_librarian(tmp_path: Path) -> None:
    stack = Stack(tmp_path, COBURG_NATS_URL="nats://127.0.0.1:9")
    with pytest.raises(Trouble, match="not its own"):
        partners.add(stack.home, "museum", ["offers.*"], None)


def test_what_a_release_without_accounts_kept_is_the_towns(tmp_path: Path) -> None:
    async def last(stack: Stack) -> int:
        town = await nats.connect(stack.url("nats"))
        await town.jetstream().publish(FACT, b"{}")
        newest = (await town.jetstream().stream_info("CITY")).state.last_seq
        await town.close()
        return int(newest)

    with Stack(tmp_path) as stack:
        components.prepare(stack.home)
        configuration = stack.home.folder / "nats" / "nats.conf"
        plain = json.loads(configuration.read_text())
        del plain["accounts"]
        configuration.write_text(json.dumps(plain))
        stack.launch("nats")
        stack.provision()
        assert asyncio.run(last(stack)) == 1
        stack.stop("nats")
        stack.start("nats")
        assert asyncio.run(last(stack)) == 2
