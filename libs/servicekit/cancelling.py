"""Waiting that loses no cancellation: `asyncio.wait_for` as Python has it from 3.12 on, for the one before.

There a cancellation that comes in the same moment as the result is dropped: a task that was to end goes on for ever, and
the group that waits for it, too. nats-py waits so for every answer, so it is mended for the whole process.
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")
_before = asyncio.wait_for


def mend() -> None:
    """Have everybody wait so; does nothing where Python does it by itself."""
    if sys.version_info < (3, 12):
        asyncio.wait_for = asyncio.tasks.wait_for = wait_for  # type: ignore[assignment]


async def wait_for(awaitable: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109 - its name elsewhere
    """The result within so many seconds, None for as long as it takes; raises TimeoutError."""
    if timeout is not None and timeout <= 0:
        return await _before(awaitable, timeout)
    async with asyncio.timeout(timeout):
        return await awaitable
