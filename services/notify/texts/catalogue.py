"""The town's messages: files of `city/messages/` enter, compiled texts leave.

One TOML file per template with a table per language: `subject`, `text`, and `short` for push and previews. `links.toml`
says where links lead, `words.toml` what codes are called, `layout.html` what HTML stands around a text. A message that
lacks a template, German, or a variable is an error at the start of the service, never a mail with a hole.
"""

import hashlib
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.notify.texts.domain import FALLBACK, chain

PARTS = ("subject", "text", "short")
OWN_FILES = ("links", "words", "pages")


class InvalidText(ValueError):  # noqa: N818 - the state of a file
    """A file of the town's messages is not as it must be; the text names it."""


@dataclass(frozen=True)
class Texts:
    """Every message in every language it is written in, and the words and links that they share."""

    messages: dict[str, dict[str, dict[str, Template]]]
    links: dict[str, str]
    words: dict[str, dict[str, dict[str, str]]]
    pages: dict[str, dict[str, str]]
    layout: Template
    versions: dict[str, str]

    def version(self, name: str) -> str:
        """A fingerprint of a message's words in all languages: what somebody read when they agreed to something."""
        return f"{name}@{self.versions[name]}"

    def parts(self, name: str, language: str) -> tuple[str, dict[str, Template]]:
        """The best language in which a message is written, and its parts."""
        texts = self.messages[name]
        best = next(each for each in chain(language) if each in texts)
        return best, texts[best]

    def page(self, language: str) -> dict[str, str]:
        """The words of the small pages that mails link to."""
        return next(self.pages[each] for each in chain(language) if each in self.pages)

    def word(self, group: str, code: str, language: str) -> str:
        """What a code is called; the code itself where the town has no word for it."""
        texts = self.words.get(group, {}).get(code, {})
        return next((texts[each] for each in chain(language) if each in texts), code)


def read_texts(folder: Path, names: Iterable[str], filters: dict[str, Callable[..., Any]]) -> Texts:
    """Read and compile everything; raises InvalidText or OSError."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )
    environment.filters.update(filters)
    messages = {name: _message(environment, folder / f"{name}.toml") for name in sorted(names)}
    unknown = {file.stem for file in folder.glob("*.toml")} - messages.keys() - set(OWN_FILES)
    if unknown:
        raise InvalidText(f"{folder}: there is no template {', '.join(sorted(unknown))}")
    layout = environment.from_string((folder / "layout.html").read_text(encoding="utf-8"))
    versions = {
        name: hashlib.sha256((folder / f"{name}.toml").read_bytes()).hexdigest()[:16] for name in messages
    }
    return Texts(
        messages,
        _toml(folder / "links.toml"),
        _toml(folder / "words.toml"),
        _toml(folder / "pages.toml"),
        layout,
        versions,
    )


def _message(environment: ImmutableSandboxedEnvironment, file: Path) -> dict[str, dict[str, Template]]:
    if not file.exists():
        raise InvalidText(f"{file} is missing")
    languages = _toml(file)
    if FALLBACK not in languages:
        raise InvalidText(f"{file} has no text in German ([{FALLBACK}])")
    return {name: _parts(environment, file, name, table) for name, table in languages.items()}


def _parts(
    environment: ImmutableSandboxedEnvironment, file: Path, language: str, table: dict[str, str]
) -> dict[str, Template]:
    if set(table) != set(PARTS):
        raise InvalidText(f"{file} [{language}] needs {', '.join(PARTS)} and nothing else")
    try:
        return {part: environment.from_string(table[part].strip()) for part in PARTS}
    except Exception as error:  # whatever Jinja finds wrong with it
        raise InvalidText(f"{file} [{language}]: {error}") from error


def _toml(file: Path) -> Any:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidText(f"{file}: {error}") from error
