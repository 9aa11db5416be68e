"""Who may speak to the broker: the embedded stack's nats.conf, and the partners' file of a server.

The embedded broker is on loopback and knows the town by a password made at its first start; whoever comes without one is
refused. Partners' credentials are held to the same rights as on a server (deploy/nats/nats.conf), so that they can be tried here.
"""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cli.home import Home
from libs.provision.partners import LIBRARIAN, MAX_ACK_PENDING, Partner, user
from libs.servicekit.secret import secret

MOST_BYTES = 2**44  # of JetStream: the disk itself is the limit
CREATE, FLOW, DELIVER = "$JS.API.CONSUMER.CREATE.CITY", "$JS.FC.>", "deliver.partners.>"
HEAD = """\
# The users of the partners' account: the librarian, who makes their streams, and one block per partner.
# Written by ./coburg partner; the server reads it again at SIGHUP (docker compose kill --signal HUP nats).
"""


def embedded(home: Home, port: int, partners: Iterable[Partner]) -> None:
    """Writes nats.conf of the embedded stack."""
    settings = {
        "server_name": "coburg",
        "listen": f"127.0.0.1:{port}",
        "max_payload": 1_048_576,
        # By default three quarters of what is free at the start: nothing at all after a start on a full disk.
        "jetstream": {"store_dir": str(home.folder / "nats"), "max_file_store": MOST_BYTES},
        "accounts": {"CITY": _town(home), "PARTNERS": _partners(home, partners)},
    }
    # NATS reads JSON as its own format.
    replace(home.folder / "nats" / "nats.conf", json.dumps(settings, indent=2) + "\n", 0o600)


def adopt(home: Home) -> None:
    """What a release without accounts has stored becomes the town's account's; the broker must not run."""
    storage = home.folder / "nats" / "jetstream"
    if (storage / "$G").is_dir() and not (storage / "CITY").exists():
        (storage / "$G").rename(storage / "CITY")


def server(file: Path, partners: Iterable[Partner]) -> None:
    """Writes partners.conf of a server: hashes and rights, nothing that must be hidden from the broker's user."""
    head = f"user: librarian, password: $COBURG_NATS_LIBRARIAN_PASSWORD, permissions: {json.dumps(LIBRARIAN)}"
    blocks = [f"{{{head}}}", *(json.dumps(user(each)) for each in partners if not each.ended)]
    replace(file, "\n".join([HEAD, "users: [", *(f"  {block}" for block in blocks), "]", ""]), 0o644)


def town_url(home: Home, port: int) -> str:
    """Where the embedded stack's services connect."""
    return f"nats://town:{_password(home, 'town')}@127.0.0.1:{port}"


def librarian_url(home: Home, port: int) -> str:
    """Where the embedded stack's librarian connects."""
    return f"nats://librarian:{_password(home, 'librarian')}@127.0.0.1:{port}"


def replace(file: Path, text: str, mode: int) -> None:
    """Puts a file in place in one step: whoever reads meanwhile reads the old or the new one."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as new:
        new.write(text)
    Path(name).chmod(mode)
    Path(name).replace(file)


def _password(home: Home, name: str) -> str:
    return secret(home.keys / f"nats-{name}")


def _town(home: Home) -> dict[str, Any]:
    service: dict[str, Any] = {"response_type": "stream", "accounts": ["PARTNERS"]}
    return {
        "jetstream": "enabled",
        "users": [{"user": "town", "password": _password(home, "town")}],
        "exports": [
            *({"service": each, **service} for each in (CREATE, f"{CREATE}.>", FLOW)),
            {"stream": DELIVER, "accounts": ["PARTNERS"]},
        ],
    }


def _partners(home: Home, partners: Iterable[Partner]) -> dict[str, Any]:
    asked = {each: each.replace("$JS.API", "copy") for each in (CREATE, f"{CREATE}.>")}
    librarian = {"user": "librarian", "password": _password(home, "librarian"), "permissions": LIBRARIAN}
    return {
        "jetstream": {"max_streams": 100, "max_consumers": 1000, "max_ack_pending": MAX_ACK_PENDING},
        "limits": {"max_connections": 50, "max_subscriptions": 2000, "max_payload": 65_536},
        "users": [librarian, *(user(each) for each in partners if not each.ended)],
        "imports": [
            *({"service": {"account": "CITY", "subject": each}, "to": to} for each, to in asked.items()),
            {"service": {"account": "CITY", "subject": FLOW}},
            {"stream": {"account": "CITY", "subject": DELIVER}},
        ],
    }
