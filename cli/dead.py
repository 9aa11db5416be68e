"""`coburg dead`: what could not be handled, straight from the DEAD stream."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

import nats
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm
from rich.table import Table

from cli.components import nats_url
from cli.errors import Trouble
from cli.home import Home
from libs.contracts.topology import DEAD, dead_subject, replay_subject
from libs.servicekit.delivery import COVERED

NOT_SENT_BACK = ("coburg-", "nats-")
T = TypeVar("T")


@dataclass(frozen=True)
class Selection:
    """Which dead letters a command is about: these numbers, or all (of one consumer)."""

    sequences: tuple[int, ...]
    everything: bool
    consumer: str | None


def show_list(home: Home, consumer: str | None, limit: int, console: Console) -> None:
    """Prints one line per dead letter, oldest first."""
    letters = connected(home, lambda js: oldest(js, consumer, limit + 1))
    if not letters:
        console.print("No dead letters.")
        return
    table = Table(
        "seq", "time", "consumer", "subject", "tries", "reason", box=None, header_style="dim", pad_edge=False
    )
    for letter in letters[:limit]:
        cells = (header(letter, name) for name in ("Time", "Consumer", "Subject", "Attempts", "Reason"))
        table.add_row(str(letter.seq), *(escape(cell) for cell in cells))
    console.print(table)
    if len(letters) > limit:
        console.print(f"[dim]There are more; --limit shows more than {limit}.[/]")


def show_one(home: Home, sequence: int, console: Console) -> None:
    """Prints headers and body."""
    letter = connected(home, lambda js: get(js, sequence))
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in sorted((letter.headers or {}).items()):
        table.add_row(f"[dim]{name}[/]", escape(value))
    console.print(table)
    body = (letter.data or b"").decode(errors="replace")
    if body.startswith(COVERED.decode()):
        console.print("[dim]The body may hold the token of a link: only its listener reads it.[/]")
        return
    try:
        console.print_json(json.dumps(json.loads(body)))
    except ValueError:
        console.print(body, markup=False)


def replay(home: Home, which: Selection, console: Console) -> None:
    """Sends dead letters to their consumer's own replay subject; never to city., that would rewind STATE."""

    async def send(js: JetStreamContext) -> int:
        letters = await chosen(js, which)
        for letter in letters:
            await js.publish(back(letter), letter.data or b"", headers=original_headers(letter), timeout=5)
            await js.delete_msg(DEAD.name, letter.seq or 0)
        return len(letters)

    console.print(f"{connected(home, send)} sent back.")


def drop(home: Home, which: Selection, yes: bool, console: Console) -> None:
    """Deletes dead letters, after asking."""
    letters = connected(home, lambda js: chosen(js, which))
    if not letters:
        console.print("No dead letters.")
        return
    if not yes and not Confirm.ask(
        f"Delete {len(letters)} dead letters for good?", console=console, default=False
    ):
        return

    async def delete(js: JetStreamContext) -> None:
        for letter in letters:
            await js.delete_msg(DEAD.name, letter.seq or 0)

    connected(home, delete)
    console.print(f"{len(letters)} deleted.")


def back(letter: RawStreamMsg) -> str:
    """The subject on which the consumer takes its dead letters back."""
    return f"{replay_subject(header(letter, 'Consumer'))}.{header(letter, 'Subject')}"


def original_headers(letter: RawStreamMsg) -> dict[str, str]:
    """The headers as they first came; without the message id, the broker must not take it for a duplicate."""
    return {
        name: value
        for name, value in (letter.headers or {}).items()
        if not name.lower().startswith(NOT_SENT_BACK)
    }


def header(letter: RawStreamMsg, name: str) -> str:
    """What the retry middleware noted."""
    return str((letter.headers or {}).get(f"Coburg-{name}", ""))


async def chosen(js: JetStreamContext, which: Selection) -> list[RawStreamMsg]:
    """The dead letters that a command is about, oldest first."""
    if which.everything == bool(which.sequences):
        raise Trouble("Which ones?", "Give their numbers from ./coburg dead list, or --all.")
    if which.everything:
        return await oldest(js, which.consumer)
    return [await get(js, sequence) for sequence in which.sequences]


async def oldest(js: JetStreamContext, consumer: str | None, limit: float = inf) -> list[RawStreamMsg]:
    """Dead letters in the order in which they came."""
    subject = dead_subject(consumer or "*", ">")
    found: list[RawStreamMsg] = []
    sequence = 1
    while len(found) < limit:
        try:
            letter = await js.get_msg(DEAD.name, sequence, subject, next=True)
        except NotFoundError:
            break
        found.append(letter)
        sequence = (letter.seq or 0) + 1
    return found


async def get(js: JetStreamContext, sequence: int) -> RawStreamMsg:
    """One dead letter."""
    try:
        return await js.get_msg(DEAD.name, sequence)
    except NotFoundError:
        raise Trouble(f"There is no dead letter {sequence}.", "./coburg dead list shows them.") from None


def connected(home: Home, work: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """Runs one piece of work against the broker."""
    url = nats_url(home)

    async def session() -> T:
        connection = await nats.connect(
            url, connect_timeout=3, max_reconnect_attempts=1, reconnect_time_wait=0.1, error_cb=silent
        )
        try:
            return await work(connection.jetstream())
        finally:
            await connection.close()

    try:
        return asyncio.run(session())
    except NotFoundError:
        raise Trouble("The broker has no DEAD stream yet.", "./coburg provision declares it.") from None
    except (OSError, NatsError) as error:
        raise Trouble(f"NATS does not answer: {error}", "Is the stack up? ./coburg status") from None


async def silent(error: Exception) -> None:
    """The exception that connect() raises says it all."""
