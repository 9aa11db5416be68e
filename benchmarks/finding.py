"""Whether every word of a title finds its thing, of the whole register and the demo town, however it is spelt."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import httpx2

from benchmarks.report import Row
from benchmarks.stack import INDEX, administrator, client, documents, filled, stack
from cli.home import ROOT
from libs.language.folding import words

Spelling = Callable[[str], str]
PAGE = 100
SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
PLAIN = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "Ä": "A", "Ö": "O", "Ü": "U", "ß": "ss"})


def run(folder: Path) -> list[Row]:
    """One stack with everything in it; each word is asked once."""
    with stack(folder) as running:
        running.start()
        with client(running, "offers", "editor") as offers, client(running, "search") as search:
            filled(offers, search)
            _demo(offers, search)
            held = documents(administrator(running), INDEX)
            titles = {one["id"]: one["title"] for one in held if "title" in one}
            return [_row(search, titles, name, spell) for name, spell in SPELLINGS.items()]


SPELLINGS: dict[str, Spelling] = {
    "title words that find their thing": lambda word: word,
    "the same in capitals": str.upper,
    "the same with ae, oe, ue, ss": lambda word: word.translate(SPELT),
    "the same with a, o, u": lambda word: word.translate(PLAIN),
    "the same with marks apart (NFD)": lambda word: normalize("NFD", word),
}


def _demo(offers: httpx2.Client, search: httpx2.Client) -> None:
    for file in sorted((ROOT / "city" / "demo").glob("*.jsonl")):
        answer = offers.post(
            "/v1/imports",
            params={"board": file.stem, "source": "demo"},
            headers={"Content-Type": "application/x-ndjson"},
            content=file.read_bytes(),
        ).raise_for_status()
        while offers.get(answer.headers["Location"]).json()["status"] not in ("done", "failed"):
            time.sleep(0.1)
    while search.get("/v1/index/status").json()["lag"]["messages"]:
        time.sleep(0.1)


def _row(search: httpx2.Client, titles: dict[str, dict[str, str]], name: str, spell: Spelling) -> Row:
    wanted: dict[str, set[str]] = defaultdict(set)
    for thing, title in titles.items():
        for word in {word for text in title.values() for word in text.split() if words(word)}:
            if spell(word) != word or name.startswith("title"):
                wanted[spell(word)].add(thing)
    lost = {word: missing for word, things in wanted.items() if (missing := _missing(search, word, things))}
    total = sum(map(len, wanted.values()))
    found = total - sum(map(len, lost.values()))
    rest = tuple(f"{word} ({len(missing)})" for word, missing in sorted(lost.items()))
    return Row(name, found, total, found / total, 0.995, at_least=True, unit="words", rest=rest)


def _missing(search: httpx2.Client, word: str, things: set[str]) -> set[str]:
    """The things that a word of their title does not find on any page."""
    missing = set(things)
    for offset in range(0, 10_000, PAGE):
        asked: dict[str, str | int] = {"q": word, "limit": PAGE, "offset": offset}
        found = search.get("/v1/search", params=asked).raise_for_status().json()
        missing -= {item["id"] for item in found["items"]} if not found["relaxed"] else set()
        if not missing or offset + PAGE >= found["total"]:
            break
    return missing
