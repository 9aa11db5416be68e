"""The demo town: writes `city/demo/<board>.jsonl` from the hand-written material beside it; the same on every run.
The dates of offers that say how long they last, and the weeks of holiday care, also go to `sessions/<board>.jsonl`, as the
sessions to be made of them.

`material/town.toml` holds places and providers. `material/<board>.toml` holds *pieces*, parts of offers: `common` to
all offers of the board, `presets` (lists of alternatives, taken in turn), and `ideas` with their `versions`. A version
is an offer. Its values come from `common`, the presets it is `like`, its idea and itself, the later ones winning; its
words are those of all of them, one after the other, in the languages in which the idea has them or its title.

Run it with `python -m city.demo.generate` after a change of the material.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
MATERIAL = HERE / "material"
WORDS = ("title", "summary", "text")  # language maps that grow with every piece
LOCAL = "%Y-%m-%dT%H:%M"
DAILY = re.compile(r"^[\w,-]+ (\d\d:\d\d)-(\d\d:\d\d)$")
Piece = dict[str, Any]


def main() -> None:
    """Write the files of all boards."""
    for board in boards():
        (HERE / f"{board}.jsonl").write_text(lines(board), encoding="utf-8")
        if dated := session_lines(board):
            (HERE / "sessions" / f"{board}.jsonl").write_text(dated, encoding="utf-8")


def boards() -> list[str]:
    """The boards of which there is material."""
    return sorted(file.stem for file in MATERIAL.glob("*.toml") if file.stem != "town")


def lines(board: str) -> str:
    """A board's offers as JSON Lines."""
    return "".join(json.dumps(offer, ensure_ascii=False, default=_iso) + "\n" for offer in offers(board))


def session_lines(board: str) -> str:
    """The sessions of a board's offers as JSON Lines, by the title of the offer; empty when there are none."""
    entries = [
        {"title": next(iter(offer["title"].values())), "sessions": dated}
        for offer in offers(board)
        if (dated := sessions(offer) or week(offer))
    ]
    return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


def sessions(offer: Piece) -> list[Piece]:
    """An offer's dates in the town's time as the offers service takes them, weekly ones as a series; none where they or
    their length are not said."""
    if not offer.get("dates") or not offer["fields"].get("duration"):
        return []
    starts = [start.replace(tzinfo=None) for start in offer["dates"]]
    length = timedelta(minutes=offer["fields"]["duration"])
    each = [{"starts_at": f"{start:{LOCAL}}", "ends_at": f"{start + length:{LOCAL}}"} for start in starts]
    if len(starts) > 2 and {b - a for a, b in pairwise(starts)} == {timedelta(weeks=1)}:
        return [{**each[0], "repeat": {"rule": f"FREQ=WEEKLY;COUNT={len(starts)}"}}]
    if len(starts) == 1 and "free_places" in offer:
        return [{**each[0], "places_max": offer["free_places"]}]
    return each


def week(offer: Piece) -> list[Piece]:
    """A week of holiday care, from the first morning to the last afternoon: it is booked and paid for as a whole."""
    times = DAILY.search(offer["fields"].get("hours", ""))
    if "holiday" not in offer["fields"] or times is None:
        return []
    days = offer["period"]
    span = {"starts_at": f"{days['start']}T{times[1]}", "ends_at": f"{days['end']}T{times[2]}"}
    return [{**span, "places_max": offer["free_places"]} if "free_places" in offer else span]


def offers(board: str) -> Iterator[Piece]:
    """A board's offers, as an import takes them."""
    town = _read(HERE.parent / "city.toml") | _read(MATERIAL / "town.toml")
    material = _read(MATERIAL / f"{board}.toml")
    presets = {name: cycle(alternatives) for name, alternatives in material.get("presets", {}).items()}
    for name, idea in material["ideas"].items():
        versions = idea.pop("versions", [{}])
        for number, version in enumerate(versions, start=1):
            like = [next(presets[each]) for each in idea.get("like", []) + version.get("like", [])]
            offer = {"key": f"demo-{name}" if len(versions) == 1 else f"demo-{name}-{number}"}
            offer |= values([material["common"], *like, idea, version]) | words([idea, *like, version])
            yield settled(offer, town)


def values(pieces: list[Piece]) -> Piece:
    """What the pieces say in figures and choices; tables are merged, later values win."""
    merged: Piece = {}
    for piece in pieces:
        for name, value in piece.items():
            if name not in WORDS:
                merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    merged.pop("like", None)
    return merged


def words(pieces: list[Piece]) -> Piece:
    """What the pieces say in words: sentences follow each other, additions to a title follow a dash."""
    idea, said = pieces[0], {name: Piece() for name in WORDS}
    for name, texts in said.items():
        spoken: Piece = idea.get(name) or idea["title"]
        for language in spoken:
            if parts := [piece[name][language] for piece in pieces if language in piece.get(name, {})]:
                texts[language] = titled(parts) if name == "title" else " ".join(parts)
    return {name: texts for name, texts in said.items() if texts}


def titled(parts: list[str]) -> str:
    """A title and its additions: `Drums – workshop, years 3–4`."""
    return " – ".join(filter(None, [parts[0], ", ".join(parts[1:])]))


def settled(offer: Piece, town: Piece) -> Piece:
    """The offer with its provider and place in full, and its dates in the town's time."""
    provider = dict(town["providers"][offer.pop("by")])
    at = offer.pop("at", provider.pop("at"))
    place = offer.pop("place", town["places"][at])
    offer |= {"provider": provider, "place": {"locality": town["name"], **place}}
    zone, weeks = ZoneInfo(town["timezone"]), range(offer.pop("weekly", 1))
    if starts := offer.pop("dates", []):
        local = sorted(start + timedelta(weeks=week) for start in starts for week in weeks)
        offer["dates"] = [start.replace(tzinfo=zone) for start in local]
    return offer


def _read(file: Path) -> Piece:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _iso(value: date | datetime) -> str:
    return value.isoformat()


if __name__ == "__main__":
    main()
