"""`python -m libs.contracts.release [--check]`: freezes today's schemas as released, or only tells what would break.

The catalogue enters; libs/contracts/released/<event>.json leaves, and a list of breaks with exit status 1 if today's
events are not what their readers were promised. A break is resolved by a new class with the next major version.
"""

import json
import sys
from pathlib import Path

from libs.contracts.catalogue import EVERY
from libs.contracts.compat import Break, breaks
from libs.contracts.schemas import Schema, schema

FOLDER = Path(__file__).parent / "released"


def text(document: Schema) -> str:
    """A JSON document as it lies in a file: the same text for the same content."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def released() -> dict[str, Schema]:
    """The schemas that were promised, by event type."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}


def broken_promises() -> list[Break]:
    """Every break between the released schemas and today's."""
    return [one for name, promised in released().items() for one in _broken(name, promised)]


def _broken(name: str, promised: Schema) -> list[Break]:
    if name not in EVERY:
        return [Break(name, "$", "left the catalogue: events already stored could not be read any more")]
    return breaks(name, promised, schema(EVERY[name]))


def freeze() -> None:
    """Today's schemas become the promise."""
    FOLDER.mkdir(exist_ok=True)
    for name, fact in EVERY.items():
        (FOLDER / f"{name}.json").write_text(text(schema(fact)), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Returns the exit status: 1 if something would break."""
    found = broken_promises()
    for one in found:
        print(one, file=sys.stderr)
    if found:
        print("Refused. Give the changed event a new class with the next major version.", file=sys.stderr)
    elif "--check" not in arguments:
        freeze()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
