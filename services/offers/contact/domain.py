"""Rules of contact: what a text may be, and how long it is kept. Values in, values out."""

import re
import unicodedata
from enum import StrEnum

from pydantic import Field

from libs.servicekit.values import Body

MAX_TEXT = 2000
_BLANK = re.compile(r"\n{3,}")


class Contact(Body):
    """`[contact]` of a board: whether its offers can be written to, and for how many days the texts are kept."""

    open: bool = True
    keep_days: int = Field(default=90, ge=1, le=730)


class Sender(StrEnum):
    """Which side wrote."""

    REQUESTER = "requester"
    ORGANISATION = "organisation"


def plain_text(text: str) -> str:
    """A text as it is kept: composed, without invisible characters that could mislead its reader, not stretched."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    visible = "".join(char for char in composed if char in "\n\t" or unicodedata.category(char)[0] != "C")
    lines = "\n".join(line.rstrip() for line in visible.split("\n"))
    return _BLANK.sub("\n\n", lines).strip()
