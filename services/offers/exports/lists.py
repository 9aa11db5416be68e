"""Providers and boards as CSV and JSON Lines."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import to_json

from services.offers.boards.models import Board
from services.offers.exports.domain import PLACE, Dialect, at, instant, said
from services.offers.exports.files import table
from services.offers.providers.models import Provider


def provider_line(provider: Provider) -> dict[str, Any]:
    """A provider as JSON."""
    stands = {"id": provider.id, "version": provider.version, "changed_at": instant(provider.changed_at)}
    return stands | said(provider.content)


def providers(
    form: str, languages: list[str], dialect: Dialect, chunks: Iterable[list[Provider]]
) -> Iterator[bytes]:
    """The providers' file."""
    titles = [f"title.{language}" for language in languages]
    names = ["id", "version", "changed_at", *titles, "kind", "url", *PLACE]
    return _file(form, names, dialect, ([provider_line(provider) for provider in chunk] for chunk in chunks))


def boards(form: str, languages: list[str], dialect: Dialect, rows: list[Board]) -> Iterator[bytes]:
    """The boards' file; in CSV the fields are named only."""
    texts = [f"{name}.{language}" for name in ("title", "summary") for language in languages]
    names = ["slug", "version", "changed_at", *texts, "languages", "fields"]
    return _file(form, names, dialect, [[_board_line(board, short=form == "csv") for board in rows]])


def _board_line(board: Board, *, short: bool) -> dict[str, Any]:
    declared = board.declared.model_dump(
        mode="json", include={"slug", "title", "summary", "languages", "fields"}
    )
    if short:
        declared["fields"] = [field["name"] for field in declared["fields"]]
    return declared | {"version": board.version, "changed_at": instant(board.changed_at)}


def _file(
    form: str, names: list[str], dialect: Dialect, chunks: Iterable[list[dict[str, Any]]]
) -> Iterator[bytes]:
    if form == "csv":
        yield table(names, [], head=True, dialect=dialect)
    for chunk in chunks:
        if form == "csv":
            rows = ((at(each, name) for name in names) for each in chunk)
            yield table(names, rows, head=False, dialect=dialect)
        else:
            yield b"".join(to_json(each) + b"\n" for each in chunk)
