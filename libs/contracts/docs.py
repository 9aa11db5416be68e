"""`python -m libs.contracts.docs [--check]`: writes docs/events/, or only tells which of its files are not up to date.

The catalogue enters; asyncapi.json, schemas/<event>.json and README.md leave.
"""

import sys
from pathlib import Path

from libs.contracts import asyncapi, reference
from libs.contracts.catalogue import CATALOGUE
from libs.contracts.release import text
from libs.contracts.schemas import schema

FOLDER = Path(__file__).parents[2] / "docs" / "events"


def files() -> dict[Path, str]:
    """Every generated file and what belongs in it."""
    schemas = {FOLDER / "schemas" / f"{name}.json": text(schema(fact)) for name, fact in CATALOGUE.items()}
    return {
        FOLDER / "asyncapi.json": text(asyncapi.document()),
        FOLDER / "README.md": reference.markdown(),
        **schemas,
    }


def outdated() -> list[Path]:
    """Files that are missing, differ, or describe an event that is no more."""
    wanted = files()
    stray = set((FOLDER / "schemas").glob("*.json")) - wanted.keys()
    return sorted(stray | {path for path, content in wanted.items() if not _holds(path, content)})


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == content


def write() -> None:
    """Bring the folder up to date."""
    wanted = files()
    for path in outdated():
        path.unlink(missing_ok=True)
    for path, content in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Returns the exit status: 1 if a check finds something to write."""
    if "--check" not in arguments:
        write()
    late = outdated()
    for path in late:
        print(f"{path}: not up to date; run python -m libs.contracts.docs", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
