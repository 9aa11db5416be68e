"""Cells of a CSV file as exports write and imports read them: nothing that a spreadsheet would run, nothing lost."""

import re
from collections.abc import Iterable

# A spreadsheet takes what begins so for a formula; an apostrophe before it makes it text.
_RISKY = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_MARKS = re.compile(r"(\\[\\|]|\|)")

# Columns of an export that say where a thing stands; an import passes them over.
STANDING = ("id", "board", "provider_id", "version", "published_at", "changed_at", "checked_on", "free_now")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if _RISKY.match(text) else text


def unguarded(cell: str) -> str:
    """The text that was guarded."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell[1:]) else cell


def joined(words: Iterable[str]) -> str:
    """A list in one cell, with bars between."""
    return "|".join(re.sub(r"([\\|])", r"\\\1", word) for word in words)


def parted(cell: str) -> list[str]:
    """The words that were joined."""
    words = [""]
    for piece in _MARKS.split(cell):
        if piece == "|":
            words.append("")
        else:
            words[-1] += piece[1:] if piece in ("\\\\", "\\|") else piece
    return words
