"""`coburg import`: sends files of offers or shops to their service and reports what became of them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from cli.errors import Trouble
from cli.gateway import Gateway, gateway
from cli.home import Home

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTENT_TYPES = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), "text/csv"),
    ".xlsx": XLSX,
    **dict.fromkeys((".jsonl", ".ndjson"), "application/x-ndjson"),
    **dict.fromkeys((".geojson", ".json"), "application/geo+json"),
}
COUNTS = ("created", "changed", "unchanged", "withdrawn", "broken")
CHUNK = 64 * 1024
SHOWN = 20
SEARCHABLE_SECONDS = 60.0
RELAY_SECONDS = 0.5  # the last rows are on the bus by then
NATIVE, SHOPS = "native", "shops"
OSM = "osm"


@dataclass(frozen=True)
class Order:
    """What to import, and how: into a board, or into the shop window. Without a mapping the fitting one is chosen."""

    board: str
    file: Path
    mapping: str | None = None
    source: str | None = None
    dry_run: bool = False
    prune: bool = False

    @property
    def service(self) -> str:
        """Which service takes it."""
        return "retail" if self.board == SHOPS else "offers"


def import_file(home: Home, order: Order, strict: bool, url: str | None, console: Console) -> int:
    """Imports one file; 1 only if rows were broken and `strict` minds."""
    with gateway(home, order.service, url, "editor") as offers:
        result = run(offers, order, console)
        report = f"/v1/imports/{result['id']}/report"
        found = offers.get(report, limit=SHOWN)
    console.print(counts([(order, result)]))
    if not order.dry_run:
        until_searchable(home, console)
    if found["items"]:
        console.print(findings(found["items"]))
    if found["next"]:
        console.print(f"[dim]The whole report: GET {report}[/]")
    return 1 if strict and result["broken"] else 0


def run(offers: Gateway, order: Order, console: Console) -> dict[str, Any]:
    """Uploads, then follows the import to its end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        place = upload(offers, order, progress)
        result = follow(offers, place, progress, progress.add_task(f"{order.board}: rows", total=None))
    if result["status"] == "failed":
        raise Trouble(f"The import of {order.file} failed: {result['error']}")
    return result


def until_searchable(home: Home, console: Console) -> None:
    """Waits until search knows what was imported; an import is well without it, so trouble there is only said."""
    try:
        with gateway(home, "search", None, "editor") as search, console.status("indexing …"):
            deadline = time.monotonic() + SEARCHABLE_SECONDS
            time.sleep(RELAY_SECONDS)
            while time.monotonic() < deadline:
                if search.get("/v1/index/status")["lag"]["messages"] == 0:
                    return
                time.sleep(0.2)
        console.print("[dim]Search is still catching up: see /v1/index/status.[/]")
    except Trouble:
        console.print("[dim]Search cannot be reached; it will catch up when it is back.[/]")


def upload(offers: Gateway, order: Order, progress: Progress) -> str:
    """Streams the file to the service; returns where the import can be followed."""
    size = order.file.stat().st_size
    task = progress.add_task(f"{order.board}: upload", total=size)
    query: dict[str, Any] = {"dry_run": order.dry_run, "prune": order.prune}
    query |= _from_map(order) if order.board == SHOPS else _into_board(offers, order)
    answer = offers.ask(
        "POST",
        "/v1/imports",
        params=query,
        headers={"Content-Type": content_type(order.file), "Content-Length": str(size)},
        content=chunks(order.file, progress, task),
    )
    return str(answer.headers["Location"])


def _into_board(offers: Gateway, order: Order) -> dict[str, Any]:
    mapping = order.mapping or fitting(offers, order)
    named = {"source": order.source} if order.source else {}
    return {"board": order.board, **({"mapping": mapping} if mapping != NATIVE else {}), **named}


def _from_map(order: Order) -> dict[str, Any]:
    """Ids of OpenStreetMap name a shop whichever file it stands in."""
    of_map = content_type(order.file) == CONTENT_TYPES[".geojson"]
    source = order.source or (OSM if of_map else None)
    return {"source": source} if source else {}


def chunks(file: Path, progress: Progress, task: TaskID) -> Iterator[bytes]:
    """The file piece by piece, moving the bar."""
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            progress.advance(task, len(chunk))
            yield chunk


def follow(offers: Gateway, place: str, progress: Progress, task: TaskID) -> dict[str, Any]:
    """Asks until the import is over."""
    while True:
        current: dict[str, Any] = offers.get(place)
        progress.update(task, total=current["rows_total"], completed=current["rows_done"])
        if current["status"] in {"done", "failed"}:
            return current
        time.sleep(0.1)


def fitting(offers: Gateway, order: Order) -> str:
    """The board's mapping named like the file, else its only one, else none: the file is native."""
    names = [each["name"] for each in offers.get("/v1/mappings")["items"] if each["board"] == order.board]
    if order.file.stem in names:
        return order.file.stem
    if len(names) == 1 and content_type(order.file) != "application/x-ndjson":
        return str(names[0])
    return NATIVE


def content_type(file: Path) -> str:
    """By the file's ending."""
    try:
        return CONTENT_TYPES[file.suffix.lower()]
    except KeyError:
        raise Trouble(
            f"{file.name} is neither a table, nor JSON lines, nor a map's places.",
            "Name it .csv, .xlsx, .jsonl, .ndjson, .geojson or .json.",
        ) from None


def counts(done: list[tuple[Order, dict[str, Any]]]) -> Table:
    """What became of the rows, file by file."""
    table = Table("board", "file", box=None, header_style="dim", pad_edge=False)
    for heading in ("rows", *COUNTS):
        table.add_column(heading, justify="right")
    for order, result in done:
        numbers = [str(result["rows_done"]), *(str(result[name]) for name in COUNTS)]
        table.add_row(order.board, order.file.name + (" (dry run)" if order.dry_run else ""), *numbers)
    return table


def findings(report: list[dict[str, Any]]) -> Table:
    """The first things said about rows: an error kept a row out, a notice did not."""
    table = Table("line", "column", "", "reason", "value", box=None, header_style="dim", pad_edge=False)
    for row in report:
        sign = "[red]✗[/]" if row["severity"] == "error" else "[yellow]![/]"
        line, column, reason, value = (
            escape(str(row[name] or "")) for name in ("line", "column", "reason", "value")
        )
        table.add_row(line, column, sign, reason, value)
    return table
