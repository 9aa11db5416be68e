"""`coburg partner`: who may hear the town's facts from outside, until when, and how far each has come."""

import json
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import bcrypt
from nats.aio.client import Client
from rich.console import Console
from rich.table import Table

from cli import components, register
from cli.broker import RELOAD, Broker
from cli.errors import Trouble
from cli.home import ROOT, Home
from libs.provision import copies
from libs.provision.partners import Partner, problem

# The passwords are as long as random ones can be, so a hash need not be slow; a slow one would let strangers who
# only try to connect use up the broker.
ROUNDS = 6


@dataclass(frozen=True)
class Credentials:
    """What a new partner is given, once."""

    name: str
    password: str
    url: str
    streams: tuple[str, str]
    inbox_prefix: str


def add(home: Home, name: str, types: Sequence[str], until: str | None) -> Credentials:
    """Lets a partner in; raises Trouble where there is one of this name."""
    broker, today = Broker(home), town_day(home)
    if wrong := problem(name, types) or (f"{until} has passed." if until and until < today else None):
        raise Trouble(wrong)
    password = secrets.token_urlsafe(32)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS, b"2a")).decode()
    partner = Partner(name, tuple(types), hashed, since=today, until=until)
    with register.alone(broker.folder) as written:
        known = expire(broker, written, today)
        if any(each.name == name for each in known):
            raise Trouble(f"There is a partner {name} already.", f"./coburg partner revoke {name}")
        broker.make([partner])
        broker.write([*known, partner])
    url = "" if broker.external else components.bare(components.nats_address(home))
    return Credentials(name, password, url, partner.streams, f"_INBOX.{name}")


def admit(home: Home, file: Path) -> list[Credentials]:
    """Lets in the partners of a file whom this stack's own, running broker does not know yet."""
    broker = Broker(home)
    if broker.external or "COBURG_NATS_URL" in home.environ or not broker.running:
        return []
    known = {each.name for each in register.load(broker.folder)}
    wanted = tomllib.loads(file.read_text(encoding="utf-8"))["partner"]
    return [add(home, each["name"], each["types"], None) for each in wanted if each["name"] not in known]


def revoke(home: Home, name: str) -> None:
    """Cuts a partner off and takes its streams away."""
    broker = Broker(home)
    with register.alone(broker.folder) as known:
        if not any(each.name == name and not each.ended for each in known):
            raise Trouble(f"There is no partner {name}.", "./coburg partner list")
        broker.end(known, {name})


def settle(home: Home, every: bool = False) -> None:
    """Ends those whose last day has passed; `every` also makes the streams of all others, where they are not there."""
    broker = Broker(home)
    with register.alone(broker.folder) as known:
        left = expire(broker, known, town_day(home))
        if every and left:
            broker.make([each for each in left if not each.ended])


def expire(broker: Broker, known: list[Partner], today: str) -> list[Partner]:
    """Ends whose time is over; returns the others."""
    return broker.end(known, {each.name for each in known if each.over(today)})


def town_day(home: Home) -> str:
    """Today in the town."""
    city = Path(home.environ.get("COBURG_CITY") or ROOT / "city") / "city.toml"
    zone = ZoneInfo(tomllib.loads(city.read_text(encoding="utf-8"))["timezone"])
    return datetime.now(zone).date().isoformat()


def show_added(home: Home, name: str, types: Sequence[str], until: date | None, as_json: bool) -> None:
    """Lets a partner in and prints what it is to be given."""
    given = add(home, name, types, until.isoformat() if until else None)
    if as_json:
        print(json.dumps(asdict(given), indent=2))
        return
    facts, newest = given.streams
    print(f"user      {given.name}\npassword  {given.password}\nstreams   {facts} (facts), {newest} (newest)")
    print(f"inbox     {given.inbox_prefix}" + (f"\naddress   {given.url}" if given.url else ""))
    print("The password is shown this once; docs/partners.md says how to go on.")
    tell_to_reload(home)


def show_revoked(home: Home, name: str) -> None:
    """Cuts a partner off and says so."""
    revoke(home, name)
    print(f"{name} hears nothing any more.")
    tell_to_reload(home)


def tell_to_reload(home: Home) -> None:
    """A server is told by whoever runs it."""
    if Broker(home).external:
        print(f"Now let the broker read its partners again: {RELOAD}")


def show_list(home: Home, as_json: bool, console: Console) -> None:
    """Prints every partner with what its consumers have still to hear and when they last did."""
    settle(home, every=True)
    lines = listed(home)
    if as_json:
        print(json.dumps(lines, default=str, indent=2))
        return
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in ("partner", "types", "until", "consumers", "pending", "last active"):
        table.add_column(heading, justify="right" if heading in ("consumers", "pending") else "left")
    for each in lines:
        last = each["last_active"]
        seen = f"{last.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if isinstance(last, datetime) else "never"
        words = (str(each["name"]), ", ".join(each["types"]), str(each["until"] or ""))
        table.add_row(*words, str(len(each["consumers"])), str(each["pending"]), seen)
    console.print(table if lines else "No partner yet.")


def listed(home: Home) -> list[dict[str, Any]]:
    """Every partner for programs."""
    broker = Broker(home)
    partners = [each for each in register.load(broker.folder) if not each.ended]

    async def read(client: Client) -> list[list[copies.Reading]]:
        return [await copies.readings(client, each) for each in partners]

    found = broker.ask(read) if partners and broker.running else [[] for _ in partners]
    return [line(*pair) for pair in zip(partners, found, strict=True)]


def line(partner: Partner, found: list[copies.Reading]) -> dict[str, Any]:
    """One partner; `pending` is that of the consumer furthest behind."""
    return {
        "name": partner.name,
        "types": list(partner.types),
        "since": partner.since,
        "until": partner.until,
        "pending": max((each.pending + each.unacknowledged for each in found), default=0),
        "last_active": max((each.last_active for each in found if each.last_active), default=None),
        "consumers": [asdict(each) for each in found],
    }
