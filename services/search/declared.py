"""What can be filtered by, with names for people: what boards declare and what all things have, so that a front end
draws filters without knowing either."""

from collections.abc import Iterable
from typing import Any

from libs.contracts.offers import BoardField, FieldType, Option
from libs.servicekit.errors import NotFound
from services.search.engine import Engine
from services.search.failures import Json

_BOARDS: Json = {"attributesToRetrieve": ["id", "board", "title", "declares"], "limit": 1000}


class Declared:
    """Reads the boards from the index, where they stand as their facts on the bus told them."""

    def __init__(self, engine: Engine, index: str, common: list[BoardField], districts: list[str]) -> None:
        self._engine, self._index, self._common, self._districts = engine, index, common, districts

    async def boards(self, slug: str | None = None) -> list[Json]:
        """All boards, or one, that are open; raises Unavailable."""
        only = [f'board = "{slug}"'] if slug else []
        asked = _BOARDS | {"filter": ["listed = true", "kind = board", *only]}
        hits: list[Json] = (await self._engine.search(self._index, asked))["hits"]
        return sorted(hits, key=lambda hit: str(hit["board"]))

    async def filters(self, slug: str | None) -> Json:
        """The filters of one board, or those that all things have; raises Unavailable, and NotFound."""
        boards = await self.boards(slug)
        if slug and not boards:
            raise NotFound("board")
        own = (
            [BoardField.model_validate(field, strict=False) for field in boards[0].get("declares", [])]
            if slug
            else []
        )
        return {
            "board": slug,
            "title": boards[0]["title"] if slug else None,
            "common": [
                _shown(field, _parameters(field, own=False)) for field in self._everywhere(slug, boards)
            ],
            "declared": [_shown(field, _parameters(field, own=True)) for field in own if field.facet],
        }

    def _everywhere(self, slug: str | None, boards: list[Json]) -> Iterable[BoardField]:
        """Boards and districts are told by the index and by the town; a board needs no choice of boards."""
        known = {
            "board": [Option(value=one["board"], label=one["title"]) for one in boards],
            "district": [Option(value=name, label={"de": name}) for name in self._districts],
        }
        for field in self._common:
            if field.name != "board" or slug is None:
                yield field.model_copy(update={"options": field.options or known.get(field.name, [])})


def _parameters(field: BoardField, *, own: bool) -> list[str]:
    if own and field.type in (FieldType.INTEGER, FieldType.NUMBER):
        return [f"{field.name}.min", f"{field.name}.max"]
    return [field.name]


def _shown(field: BoardField, parameters: list[str]) -> dict[str, Any]:
    shown = field.model_dump(mode="json", include={"name", "type", "label", "unit"})
    options = [{"value": option.value, "label": option.label} for option in field.options]
    return shown | {"options": options, "parameters": parameters}
