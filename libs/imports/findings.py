"""What is said about a file and its rows: a code and what belongs into its sentence enter, the sentence leaves.

The sentences are the town's, `findings.toml` in its folder: a code, and its words by language.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

Params = Mapping[str, str | Mapping[str, str]]
LANGUAGES = ("de", "en")
_NAME = re.compile(r"{(\w+)}")


class Unreadable(ValueError):  # noqa: N818 - says what the file is
    """A file that cannot be imported as a whole; carries the code of the reason and what belongs into its sentence."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code, self.params = code, params


class InvalidCell(ValueError):  # noqa: N818 - says what the cell is
    """A cell that is not what its target asks for; carries the code of the reason and what belongs into its sentence."""

    def __init__(self, code: str, params: Params | None = None) -> None:
        super().__init__(code)
        self.code, self.params = code, params or {}


@dataclass(frozen=True)
class Finding:
    """Something about a row: an error keeps it out, a notice does not."""

    column: str | None
    code: str
    value: str | None = None
    severity: Literal["error", "notice"] = "error"
    params: Params = field(default_factory=dict)


@cache
def _read(file: Path, _changed: int) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _section(city: Path, section: str) -> dict[str, Any]:
    file = city / "findings.toml"
    found: dict[str, Any] = _read(file, file.stat().st_mtime_ns).get(section, {})
    return found


def headings(city: Path) -> dict[str, list[str]]:
    """What people call a column: names by column."""
    return _section(city, "headings")


def message(city: Path, code: str, params: Params, value: str | None = None) -> dict[str, str]:
    """The sentence of a code, by language; the code itself where the town has no words for it."""
    words: dict[str, str] = _section(city, "findings").get(code) or dict.fromkeys(LANGUAGES, code)
    return {language: _filled(words[language], language, params, value) for language in words}


def _filled(sentence: str, language: str, params: Params, value: str | None) -> str:
    filled = {
        name: param if isinstance(param, str) else param.get(language) or next(iter(param.values()), "")
        for name, param in params.items()
    }
    filled["value"] = value or ""
    return _NAME.sub(lambda name: filled.get(name[1], ""), sentence)
