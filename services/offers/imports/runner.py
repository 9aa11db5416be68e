"""Imports of offers: what `libs.imports` asks of each, and the job that works them off."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from libs.imports import runner
from libs.imports.draft import Line
from libs.imports.findings import headings
from libs.imports.headings import Resolve
from libs.imports.mapper import Mapper
from libs.imports.mapping import read
from libs.imports.models import Import
from libs.imports.reader import Row
from libs.servicekit.kit import Kit
from libs.servicekit.periodic import in_batches
from libs.town import calendar
from libs.town.hours import by_day
from services.offers.blueprints import spreading as blueprints
from services.offers.boards import queries as boards
from services.offers.imports import commands
from services.offers.imports.drafts import Checker, OfferDraft
from services.offers.imports.targets import Source, Targets, columns_of, native


def mappings(city: Path) -> dict[str, Source]:
    """The town's mappings by name; raises ValueError naming a file that is wrong."""
    return {file.stem: read(file, Source) for file in sorted((city / "imports").glob("*.toml"))}


def work_off(kit: Kit) -> Iterator[None]:
    """Work off what is accepted, chunk by chunk."""
    yield from runner.work_off(kit, Offers)


class Offers:
    """One import of offers: its board, its mapping, its day."""

    def __init__(self, kit: Kit, session: Session, order: Import) -> None:
        settings = kit.settings
        self._db, self._order, self._city = kit.database, order, settings.city
        self._today = datetime.now(ZoneInfo(settings.town["timezone"])).date()
        self._board = boards.declaration(session, order.into)
        accessibility = settings.town.get("accessibility", {})
        self._check = Checker(self._board, accessibility, calendar.read(settings.city).centre)
        self._targets = Targets(self._board, accessibility)
        self.mapping = mappings(self._city)[order.mapping] if order.mapping else None
        self._mapper: Mapper | None = None
        self._source = self.mapping

    def resolve(self) -> Resolve:
        """Finds a column of offers by their names, the town's and the board's."""
        return columns_of(self._board, headings(self._city))

    def begin(self, columns: list[str]) -> list[str]:
        """A mapping knows what it needs; a table of our own needs a key, a title and what the board requires."""
        if self._source is None and columns:
            self._source = native(self._board, columns)
        if self._source is None:
            return []
        self._mapper = Mapper(self._source, self._targets, by_day)
        return sorted(self._source.columns) if self.mapping else self._needed(columns)

    def _needed(self, columns: list[str]) -> list[str]:
        title = next((name for name in columns if name.startswith("title.")), "title.de")
        own = [f"fields.{field.name}" for field in self._board.fields if field.required]
        return ["key", title, *([] if "fields" in columns else own)]

    def draft(self, row: Row) -> OfferDraft:
        """A row as an offer to be."""
        if self._mapper is None or self._source is None:
            return self._check.native(row.values)
        cells = {name: cell if isinstance(cell, str) else str(cell) for name, cell in row.values.items()}
        return self._check.mapped(cells, self._mapper, self._source)

    def write(self, session: Session, order: Import, lines: list[Line[OfferDraft]]) -> None:
        """Take a chunk of rows into the board."""
        commands.work(session, order, self._board, lines, self._today)

    def prune(self) -> Iterator[None]:
        """Withdraw what the source no longer names."""
        import_id = self._order.id
        yield from in_batches(self._db, lambda session: commands.prune_some(session, import_id, self._board))

    def finish(self, session: Session) -> None:
        """Rows were read by what the board declared when they began; it may have changed since."""
        if boards.declaration(session, self._order.into) != self._board:
            blueprints.fit_offers(session, self._board)
