"""Texts as feeds can carry them: whatever a card says enters, what XML and iCalendar allow leaves."""

import re

MAX_TITLE = 300
# Everything but what XML 1.0 calls a character.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def allowed(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return _FORBIDDEN.sub("", text)


def title(text: str) -> str:
    """A title on one line, short enough for a list."""
    line = " ".join(allowed(text).split())
    return line if len(line) <= MAX_TITLE else f"{line[: MAX_TITLE - 1]}…"
