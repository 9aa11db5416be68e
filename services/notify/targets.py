"""Where an address of others may lead, a webhook's or a browser's: a host's name enters, an address that was checked leaves, and nothing else is connected to.

A name is resolved once per attempt and the connection goes to the very address that was checked, so that a name that
changes its address in between (DNS rebinding) gains nothing. Redirects are not followed.
"""

import asyncio
import socket
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

MAX_URL = 1000
NAT64 = IPv6Network("64:ff9b::/96")


class Refused(Exception):  # noqa: N818 - no bug of ours
    """The address is none that a webhook may lead to; the text says why, for its owner."""


class Target(NamedTuple):
    """An address that may be connected to, and the name that it was found under."""

    address: str
    port: int
    host: str
    url: str


def checked(url: str, *, anywhere: bool) -> SplitResult:
    """The parts of a URL that could be a webhook's; raises Refused. `anywhere` is for a stack on one machine."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("is no web address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        raise Refused("is no web address")
    if parts.username or parts.password:
        raise Refused("must not hold a user or password")
    if parts.scheme != "https" and not anywhere:
        raise Refused("must begin with https://")
    if not anywhere and _is_literal(parts.hostname) and not _is_public(parts.hostname):
        raise Refused("leads to an address that is not public")
    return parts


async def resolve(url: str, *, anywhere: bool) -> Target:
    """Look a URL's host up now; raises Refused when any of its addresses is not public, OSError when there is none."""
    parts = checked(url, anywhere=anywhere)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not anywhere and not all(map(_is_public, addresses)):
        raise Refused("leads to an address that is not public")
    return Target(addresses[0], port, host, url)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        # What IPv6 wraps around an IPv4 address leads where that leads.
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner:
            return _is_public(str(inner))
        if address in NAT64:
            return _is_public(str(ip_address(int(address) & 0xFFFFFFFF)))
    return address.is_global and not address.is_multicast
