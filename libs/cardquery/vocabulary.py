"""The town's words for searching, from `search.toml`: what says nothing, what means the same, and what all things are filtered by."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from libs.contracts.offers import BoardField
from libs.language.questions import fold_all


class Vocabulary(BaseModel):
    """The town's words: those that mean nothing to a search, and groups that mean the same.

    Also the names of the filters that all things have.
    """

    model_config = ConfigDict(extra="forbid")

    stop_words: list[str] = Field(default=[])
    equal: list[list[str]] = Field(default=[])
    filters: list[BoardField] = Field(default=[])

    @property
    def silent(self) -> frozenset[str]:
        """The stop words, folded."""
        return fold_all(self.stop_words)

    @classmethod
    def of(cls, city: Path) -> "Vocabulary":
        """Read `search.toml`; a town without one has no words of its own."""
        file = city / "search.toml"
        content = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return cls.model_validate_json(to_json(content))
