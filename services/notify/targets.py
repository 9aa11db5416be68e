"""Where an address of others may lead, a webhook's or a browser's: a host's name enters, an address that was checked leaves, and nothing else is connected to.

A name is resolved once per attempt and the connection goes to the very address that was checked, so that a name that
changes its address in between (DNS rebinding) gains nothing. Redirects are not followed.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from services.notify.names import NAMES, is_literal

MAX_URL = 1000
NAT64 = IPv6Network("64:ff9b::/96")
# Of IPv6 only this part is given out to the public: not ::/96 or ::ffff:0:0:0/96 (wrapped IPv4), fec0::/10, 5f00::/16 …
GIVEN_OUT = IPv6Network("2000::/3")
# ISATAP (RFC 5214) wraps an IPv4 address into the second half of any address.
ISATAP = (0x0000_5EFE, 0x0200_5EFE)
# What `ipaddress` calls global but leads inside, or nowhere: Azure's host, protocol assignments (Oracle's metadata among
# them), the 6to4 relay, Teredo and its neighbours, ORCHID, documentation.
INSIDE: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("3fff::/20"),
)


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
    if not anywhere and is_literal(parts.hostname) and not _is_public(parts.hostname):
        raise Refused("leads to an address that is not public")
    return parts


async def resolve(url: str, *, anywhere: bool) -> Target:
    """Look a URL's host up now; raises Refused when any of its addresses is not public, OSError when there is none."""
    parts = checked(url, anywhere=anywhere)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = await NAMES.addresses(host)
    if not anywhere and not all(map(_is_public, addresses)):
        raise Refused("leads to an address that is not public")
    return Target(addresses[0], port, host, url)


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    if any(address in network for network in INSIDE):
        return False
    if isinstance(address, IPv6Address):
        inner = _wrapped(address)
        if address.ipv4_mapped or address in NAT64:
            return inner is not None and _is_public(str(inner))
        if address not in GIVEN_OUT or (inner and not _is_public(str(inner))):
            return False
    return address.is_global and not address.is_multicast


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one is wrapped around: it leads where that leads."""
    if address in NAT64 or (int(address) >> 32) & 0xFFFF_FFFF in ISATAP:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
