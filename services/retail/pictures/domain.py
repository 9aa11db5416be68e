"""Rules of pictures: what is taken, and in which shapes it is kept. Values in, values out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

MAX_BYTES, MAX_PIXELS = 15 * 1024 * 1024, 50_000_000
MIN_SIDE = 200
# By content; the name and the media type that came with a file are only compared with it.
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}
WIDTHS = (320, 640, 1280, 1920)
ENDINGS = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
# Shapes that channels ask for, cut from the middle: width and height.
CROPS = {"square": (1080, 1080), "wide": (1200, 630), "tall": (1080, 1920)}
# What other programs read in a file that is a picture as well. Each is too long to stand in pixels by chance.
_MARKS = (b"<script", b"<?php", b"<!doctype", b"<!entity", b"javascript:")
_TAIL = 64 * 1024


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Refused(Exception):  # noqa: N818 - says what becomes of it
    """A file that is no picture to be taken; `code` says why, `values` belong into its words."""

    code: str
    values: dict[str, Any]


def check_size(size: Size) -> None:
    """Raise Refused for what is too small to be seen or too large to be worked on."""
    if size.width * size.height > MAX_PIXELS:
        raise Refused(code="picture-pixels", values={"most": MAX_PIXELS // 1_000_000})
    if min(size) < MIN_SIDE:
        raise Refused(code="picture-small", values={"least": MIN_SIDE})


def check_bytes(content: bytes) -> None:
    """Raise Refused for what is something else as well: an archive, a document, a script."""
    head, tail = content[:1024].lower(), content[-_TAIL:]
    lowered = content.lower()
    if b"%pdf-" in head or b"PK\x05\x06" in tail or any(mark in lowered for mark in _MARKS):
        raise Refused(code="picture-polyglot", values={})


def widths(size: Size) -> list[int]:
    """The widths in which a picture is kept: none larger than itself, and at least one."""
    return [width for width in WIDTHS if width <= size.width] or [size.width]
