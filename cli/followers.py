"""People of the demo town who follow something: registered, confirmed with the code of their mail, subscribed, once."""

import json
import re
import time
import tomllib
from pathlib import Path
from typing import Any

from cli import mail
from cli.errors import Trouble
from cli.gateway import Gateway
from cli.home import Home

CODE = re.compile(r"\b[A-HJ-NP-Z2-9]{10}\b")
PATIENCE_SECONDS = 30.0


def follow(home: Home, notify: Gateway, file: Path) -> int:
    """Let everybody of the file follow what it says; returns how many are new. Who was here before is left as they are."""
    known_file = home.folder / "demo-followers.json"
    known: dict[str, str] = json.loads(known_file.read_text()) if known_file.exists() else {}
    people = tomllib.loads(file.read_text(encoding="utf-8"))["follower"]
    new = [each for each in people if each["address"] not in known]
    registered = [(each, _register(notify, each)) for each in new]
    for person, recipient in registered:
        _confirm(home, notify, person, recipient["id"])
        _subscribe(notify, person, recipient)
        known[person["address"]] = recipient["id"]
        known_file.write_text(json.dumps(known, indent=2))
    return len(new)


def _register(notify: Gateway, person: dict[str, Any]) -> dict[str, Any]:
    known = {name: person[name] for name in ("address", "language", "quiet") if name in person}
    body: dict[str, Any] = {"channel": "mail"} | known
    found: dict[str, Any] = notify.ask("POST", "/v1/recipients", json=body).json()
    return found


def _confirm(home: Home, notify: Gateway, person: dict[str, Any], recipient_id: str) -> None:
    """Type the code of the mail, as its reader would."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (codes := _codes(home, person["address"], recipient_id)):
        if time.monotonic() > deadline:
            raise Trouble(f"No mail came to {person['address']}.", "Does ./coburg status show the mailbox?")
        time.sleep(0.2)
    notify.ask("POST", f"/v1/recipients/{recipient_id}/confirm", json={"code": codes[-1]})


def _codes(home: Home, address: str, recipient_id: str) -> list[str]:
    texts = [each.text for each in mail.listed(home) if each.to == address and recipient_id in each.text]
    return [code for text in texts for code in CODE.findall(text)]


def _subscribe(notify: Gateway, person: dict[str, Any], recipient: dict[str, Any]) -> None:
    body = {name: person[name] for name in ("name", "filter", "changes", "cadence")}
    headers = {"Link-Token": recipient["token"]}
    notify.ask("POST", "/v1/subscriptions", json=body | {"recipient_id": recipient["id"]}, headers=headers)
