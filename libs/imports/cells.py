"""Cells of a CSV file as exports write and imports read them: nothing that a spreadsheet would run, nothing lost."""

import re
from collections.abc import Iterable

# A spreadsheet takes what begins so for a formula; an apostrophe before it makes it text. A reader that takes another
# delimiter for the file's, or minds no quotes, begins a cell behind any of these too.
_BEGINS = r"(\A|[;,|\t\r\n])"
_RISKY = re.compile(_BEGINS + r"(?='*[=+\-@\t\r\n＝＋－＠])")
_GUARD = re.compile(_BEGINS + r"'(?='*[=+\-@\t\r\n＝＋－＠])")
_MARKS = re.compile(r"(\\[\\|]|\|)")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula, however it cuts the file into cells."""
    return _RISKY.sub(r"\1'", text)


def unguarded(cell: str) -> str:
    """The text that was guarded."""
    return _GUARD.sub(r"\1", cell) if "'" in cell else cell


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
