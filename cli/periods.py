"""`coburg seed`: announces a period of wishes, so that families can hand in lists and places can be given out."""

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.gateway import Gateway


def announce(offers: Gateway, file: Path) -> bool:
    """Announces the period of a file named like its board, with every date of the board that lies in one of its slots.

    False when there is one of this title, nothing to wish for, or when its time is over.
    """
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    content = json.loads(json.dumps(raw, default=lambda moment: moment.isoformat()))
    path = f"/v1/boards/{file.stem}/periods"
    if any(period["title"] == content["title"] for period in offers.get(path, limit=200)["items"]):
        return False
    activities = list(activities_in(offers, file.stem, content["slots"]))
    if not activities or raw["wishes_until"] <= datetime.now(UTC):
        return False
    offers.ask("POST", path, json={**content, "activities": activities})
    return True


def activities_in(offers: Gateway, board: str, slots: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The dates with limited places that lie within the slots, as activities to be wished for."""
    for offer in offers.every("/v1/offers", board=board, status="published"):
        days = offer["content"].get("period") or {}
        for slot in slots:
            if days.get("start") and slot["start"] <= days["start"] and days["end"] <= slot["end"]:
                for date in offers.get(f"/v1/offers/{offer['id']}/sessions")["items"]:
                    if date["places_max"] and date["status"] == "scheduled":
                        content = {"slot": slot["name"], "offer_id": offer["id"], "session_id": date["id"]}
                        yield {**content, "places": date["places_max"]}
