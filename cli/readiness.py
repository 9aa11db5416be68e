"""Is a component ready? One probe address in, None or the reason why not out."""

import json
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

SECONDS = 2.0


def problem(probe: str) -> str | None:
    """What keeps the component behind this address (nats://…, smtp://… or http://…) from serving; None when it serves."""
    try:
        return _problem(probe)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__


def _problem(probe: str) -> str | None:
    match urlsplit(probe).scheme:
        case "nats" | "tls":
            return nats_problem(probe)
        case "smtp":
            return smtp_problem(probe)
        case _:
            return http_problem(probe)


def smtp_problem(url: str) -> str | None:
    """An SMTP server greets every connection with 220."""
    address = urlsplit(url)
    with socket.create_connection(
        (address.hostname or "", address.port or 25), timeout=SECONDS
    ) as connection:
        greeting = connection.recv(4096)
        connection.sendall(b"QUIT\r\n")
    return None if greeting.startswith(b"220") else "it does not greet as an SMTP server"


def nats_problem(url: str) -> str | None:
    """A NATS server greets every connection with INFO."""
    address = urlsplit(url)
    with socket.create_connection(
        (address.hostname or "", address.port or 4222), timeout=SECONDS
    ) as connection:
        greeting = connection.recv(4096)
    return None if b'"jetstream":true' in greeting.replace(b" ", b"") else "it answers without JetStream"


def http_problem(url: str) -> str | None:
    """200 is ready; a problem document says what is missing."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS):  # noqa: S310  # the caller's own components
            return None
    except urllib.error.HTTPError as error:
        return missing(error.read()) or f"HTTP {error.code}"


def missing(body: bytes) -> str:
    """The reasons in a problem document, if it is one."""
    try:
        document = json.loads(body)
        reasons = [f"{each['field']}: {each['reason']}" for each in document.get("errors", [])]
        return "; ".join(reasons) or str(document.get("detail", ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
