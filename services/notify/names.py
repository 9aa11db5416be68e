"""Looking up the names of hosts that others gave us: a name enters, its addresses leave, or TimeoutError.

In threads of its own and one look-up per name at a time: a partner's dead name server keeps a thread for half a minute,
whatever we do, and nobody else of the process may wait for that.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address

THREADS = 16
PATIENCE_SECONDS = 5.0


def is_literal(host: str) -> bool:
    """Whether it is an address itself."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def look_up(host: str) -> list[str]:
    """The addresses that a name has now; raises OSError when it has none, UnicodeError when it can be none."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class Names:
    """Looks names up side by side."""

    def __init__(
        self, look_up: Callable[[str], Sequence[str]] = look_up, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._look_up, self._patience = look_up, patience
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._asked: dict[str, Future[Sequence[str]]] = {}

    async def addresses(self, host: str) -> Sequence[str]:
        """What a name stands for; who asks while somebody else does waits for the same answer."""
        if is_literal(host):
            return [host]
        asked = self._asked.get(host)
        if asked is None:
            asked = self._asked[host] = self._threads.submit(self._look_up, host)
            asked.add_done_callback(partial(self._answered, host))
        async with asyncio.timeout(self._patience):
            # Shielded: who loses patience ends nobody else's look-up.
            return await asyncio.shield(asyncio.wrap_future(asked))

    def _answered(self, host: str, _: Future[Sequence[str]]) -> None:
        self._asked.pop(host, None)


NAMES = Names()
