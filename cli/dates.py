"""`coburg seed`: gives the imported demo offers their dates, as sessions that can be moved, cancelled and booked."""

import json
import time
from pathlib import Path
from typing import Any

from cli.errors import Trouble
from cli.gateway import Gateway

PAUSE_SECONDS = 0.01  # stays below what a service takes from one client


def schedule(offers: Gateway, file: Path) -> int:
    """Posts the dates of a board's offers, found by their titles; returns how many offers got theirs.

    An offer that has sessions keeps them, so that it may be repeated. Dates that have passed are left out.
    """
    ids = by_title(offers, file.stem)
    done = 0
    for line in file.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        offer_id = ids.get(entry["title"])
        if offer_id and not offers.get(f"/v1/offers/{offer_id}/sessions", limit=1)["items"]:
            done += sum(post(offers, offer_id, body) for body in entry["sessions"]) > 0
    return done


def by_title(offers: Gateway, board: str) -> dict[str, str]:
    """The ids of a board's public offers by their titles in any language."""
    found = dict[str, str]()
    for offer in offers.every("/v1/offers", board=board, status="published"):
        found |= dict.fromkeys(offer["content"]["title"].values(), offer["id"])
    return found


def post(offers: Gateway, offer_id: str, body: dict[str, Any]) -> bool:
    """Gives an offer one date or a series; False when it cannot be any more."""
    time.sleep(PAUSE_SECONDS)
    try:
        offers.ask("POST", f"/v1/offers/{offer_id}/sessions", json=body)
    except Trouble:
        return False
    return True
