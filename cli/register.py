"""Which partners there are: `partners.json` in a folder, changed by one process at a time."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from cli.accounts import replace
from libs.provision.partners import Partner

FILE = "partners.json"


def load(folder: Path) -> list[Partner]:
    """Every partner; none where nobody was added yet."""
    try:
        raw = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Partner(**each | {"types": tuple(each["types"])}) for each in raw]


def save(folder: Path, partners: list[Partner]) -> None:
    """Replaces the file."""
    text = json.dumps([asdict(each) for each in partners], indent=2)
    replace(folder / FILE, text + "\n", 0o600)


@contextmanager
def alone(folder: Path) -> Iterator[list[Partner]]:
    """The partners, which nobody else changes meanwhile."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / f".{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield load(folder)
