"""The town's words for problems: a code and a language enter, title and sentence leave; and which language a caller reads.

`city/problems.toml` has a section for each code, `[fields]` the reasons why a field is not as it must be.
"""

import tomllib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from libs.servicekit.errors import FieldError, NotFound
from libs.servicekit.settings import Settings

# Who names no language is a program; those who write it read what the code says.
SOURCE = "en"
Texts = dict[str, str]


class ProblemType(BaseModel):
    """One kind of problem: `type` is its address, `code` its name for good, the words are the town's."""

    type: str
    code: str
    title: Texts
    detail: Texts = Field(default={}, description="With {placeholders} for what differs from case to case.")


class Words:
    """What a town says of problems, by code and language."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _sections(self) -> dict[str, Any]:
        file = self._settings.city / "problems.toml"
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    @cached_property
    def _languages(self) -> list[str]:
        spoken = {language for kind in self.types for language in kind.title}
        return [language for language in self._settings.town["languages"] if language in spoken]

    @cached_property
    def types(self) -> list[ProblemType]:
        """The catalogue."""
        told = {code: texts for code, texts in self._sections.items() if code != "fields"}
        return [ProblemType(type=self.address(code), code=code, **texts) for code, texts in told.items()]

    @cached_property
    def _by_code(self) -> dict[str, ProblemType]:
        return {kind.code: kind for kind in self.types}

    def address(self, code: str) -> str:
        """The `type` of a problem."""
        return f"{self._settings.public_url}/v1/problems/{code}"

    def known(self, code: str) -> ProblemType | None:
        """One entry of the catalogue."""
        return self._by_code.get(code)

    def language(self, accepted: str | None) -> str:
        """The language of an answer, by the request's Accept-Language."""
        return negotiate(accepted, self._languages)

    def title(self, code: str, language: str) -> str | None:
        """What the problem is called."""
        kind = self.known(code)
        return kind.title.get(language) if kind else None

    def detail(self, code: str, language: str, values: Mapping[str, str]) -> str | None:
        """What happened, in a sentence; None where the town has none, or lacks a value for it."""
        kind = self.known(code)
        return _filled(kind.detail.get(language) if kind else None, values)

    def reason(self, error: FieldError, language: str) -> str:
        """Why a field is not as it must be."""
        text = self._sections.get("fields", {}).get(error.code or "", {}).get(language)
        return _filled(text, error.values) or error.reason


def catalogue(words: Words) -> APIRouter:
    """The addresses that `type` names."""
    router = APIRouter(prefix="/v1/problems", tags=["problems"])

    @router.get("")
    def list_problem_types() -> list[ProblemType]:
        """Every problem that this town has words for."""
        return words.types

    @router.get("/{code}")
    def get_problem_type(code: str) -> ProblemType:
        """What one `type` means."""
        if (kind := words.known(code)) is None:
            raise NotFound("problem type")
        return kind

    return router


def _filled(text: str | None, values: Mapping[str, str]) -> str | None:
    try:
        return text and text.format_map(values)
    except KeyError:
        return None


def negotiate(accepted: str | None, languages: list[str]) -> str:
    """The first of `languages` that an Accept-Language header prefers (RFC 9110, basic filtering); else the town's own."""
    if accepted is None or not languages:
        return SOURCE
    for tag in _preferred(accepted):
        for spoken in (tag, tag.partition("-")[0]):
            if spoken in languages:
                return spoken
        if tag == "*":
            break
    return languages[0]


def _preferred(accepted: str) -> list[str]:
    weighed = []
    for part in accepted.lower().split(",")[:50]:
        tag, _, quality = part.partition(";")
        weight = _weight(quality)
        if tag.strip() and weight:
            weighed.append((-weight, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda found: found[0])]


def _weight(quality: str) -> float:
    try:
        return float(quality.strip().removeprefix("q=") or 1)
    except ValueError:
        return 0
