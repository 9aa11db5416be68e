"""Waiting for what happens elsewhere: poll until a condition holds, fail with what was seen last."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
POLL = 0.05


def until(look: Callable[[], T], seconds: float = 20) -> T:
    """The first true answer of `look`."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds} s"
        time.sleep(POLL)
    return seen


async def eventually(look: Callable[[], Awaitable[T]], seconds: float = 20) -> T:
    """The first true answer of `look`, without holding up the loop."""
    deadline = time.monotonic() + seconds
    while not (seen := await look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {seconds} s"
        await asyncio.sleep(POLL)
    return seen
