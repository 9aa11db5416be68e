"""Things on a map as rows: a GeoJSON feature collection (RFC 7946) or what Overpass answers enters, features leave one by one.

The document is read as a stream, so that memory stays flat. Of Overpass's elements those without tags are only corners of others.
"""

import codecs
from collections.abc import Iterable, Iterator
from io import BufferedReader
from typing import Any

from libs.imports.findings import Unreadable
from libs.imports.reader import Fault, Parts, Row

LISTS = ("features", "elements")
MAX_VALUES = 100_000  # of one feature: the outline of a large wood has some thousand corners
MAX_DEPTH = 24  # of the document: a multipolygon's corners lie at nine


def rows(parts: Iterable[bytes]) -> Iterator[Row]:
    """The features in their order, `line` counting them from one; raises Unreadable for what is no such document."""
    from ijson import JSONError  # type: ignore[import-untyped]  # noqa: PLC0415 - only services that import have it

    number = 0
    try:
        for value in _values(_without_mark(BufferedReader(Parts(parts), 256 * 1024))):
            if value is None:
                number += 1
                yield Row(number, fault=Fault("long_line", {"limit": str(MAX_VALUES)}))
            elif value.get("type") == "Feature" or value.get("tags"):
                number += 1
                yield Row(number, value)
    except (JSONError, UnicodeDecodeError) as error:
        raise Unreadable("broken_document") from error
    if not number:
        raise Unreadable("no_features")


def _values(stream: BufferedReader) -> Iterator[dict[str, Any] | None]:
    """The objects in one of the lists, None for one that is too large to be kept."""
    import ijson  # noqa: PLC0415 - as above

    builder: Any = None
    depth = count = 0
    name, listed = "", False
    for event, value in ijson.basic_parse(stream, use_float=True):
        if event == "map_key" and depth == 1:
            name = value
        elif event in ("start_map", "start_array"):
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable("broken_document")
            listed = listed or (depth == 2 and event == "start_array" and name in LISTS)
            if listed and depth == 3 and event == "start_map":
                builder, count = ijson.ObjectBuilder(), 0
        if builder:
            count += 1
            if count <= MAX_VALUES:
                builder.event(event, value)
        if event in ("end_map", "end_array"):
            depth -= 1
            listed = listed and depth >= 2
            if builder and depth == 2:
                yield builder.value if count <= MAX_VALUES else None
                builder = None


def _without_mark(stream: BufferedReader) -> BufferedReader:
    if not stream.peek(3):
        raise Unreadable("empty_file")
    if stream.peek(3)[:3] == codecs.BOM_UTF8:
        stream.read(3)
    return stream
