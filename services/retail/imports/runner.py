"""Imports of shops: what `libs.imports` asks of each, and the job that works them off."""

from collections.abc import Iterator

from sqlmodel import Session

from libs.imports import runner
from libs.imports.draft import Line
from libs.imports.headings import Resolve
from libs.imports.models import Import
from libs.imports.reader import Row
from libs.servicekit.kit import Kit
from libs.servicekit.periodic import in_batches
from services.retail.imports import commands
from services.retail.imports.drafts import Checker, ShopDraft
from services.retail.shops.vocabulary import read


def work_off(kit: Kit) -> Iterator[None]:
    """Work off what is accepted, chunk by chunk."""
    yield from runner.work_off(kit, Shops)


class Shops:
    """One import of shops. Its rows are objects, so no column has to be found."""

    mapping = None

    def __init__(self, kit: Kit, _session: Session, order: Import) -> None:
        self._db, self._import_id = kit.database, order.id
        town = kit.settings.town
        self._check = Checker(read(kit.settings.city), town.get("accessibility", {}), town["languages"][0])

    def resolve(self) -> Resolve:
        """There are no headings."""
        return lambda _head: None

    def begin(self, _columns: list[str]) -> list[str]:
        """There are no columns."""
        return []

    def draft(self, row: Row) -> ShopDraft:
        """A row as a shop to be."""
        return self._check.draft(row.values)

    def write(self, session: Session, order: Import, lines: list[Line[ShopDraft]]) -> None:
        """Take a chunk of rows in."""
        commands.work(session, order, lines)

    def prune(self) -> Iterator[None]:
        """Withdraw what the source no longer names."""
        yield from in_batches(self._db, lambda session: commands.prune_some(session, self._import_id))

    def finish(self, session: Session) -> None:
        """Nothing rests on what was so when the import began."""
