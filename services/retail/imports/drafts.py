"""Drafts: a row of a source as a shop to be, checked as the HTTP edge would check it. Values in, values out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from libs.imports import checks
from libs.imports.draft import Draft
from libs.imports.findings import Finding
from libs.servicekit.values import is_clean
from services.retail.imports import osm
from services.retail.shops.domain import ShopContent
from services.retail.shops.vocabulary import LISTS, Vocabulary

MAX_KEY = 200
# What comes from a field of our own is told by the tag that it came from.
TAGS = {"title": "name", "text": "description", "hours": "opening_hours", "url": "website", "place": "addr"}


@dataclass
class ShopDraft(Draft):
    """A row as a shop to be; `content` is missing when there are errors."""

    content: ShopContent | None = None


@dataclass(frozen=True)
class Checker:
    """What rows are checked by: the town's words for shops, for a place's accessibility, and its first language."""

    words: Vocabulary
    accessibility: Mapping[str, Any]
    language: str

    def draft(self, values: dict[str, Any]) -> ShopDraft:
        """A row as a draft: a thing of OpenStreetMap, or a shop's content beside a `key`."""
        return self._feature(values) if osm.is_feature(values) else self._native(values)

    def _native(self, values: dict[str, Any]) -> ShopDraft:
        key = values.pop("key", None)
        text = str(key) if isinstance(key, str | int) else ""
        draft = ShopDraft(key=text if 0 < len(text) <= MAX_KEY and is_clean(text) else None)
        if draft.key is None:
            code = "bad_key" if key not in (None, "") else "no_key"
            draft.findings.append(Finding("key", code, str(key or "")[:200], params={"limit": str(MAX_KEY)}))
        self._finish(draft, values, {})
        return draft

    def _feature(self, values: dict[str, Any]) -> ShopDraft:
        draft = ShopDraft(key=osm.key_of(values))
        if draft.key is None:
            said = str(values.get("id") or "")[:200]
            draft.findings.append(Finding("@id", "bad_osm_id" if said else "no_key", said, params={}))
        found = osm.Reading(osm.tags_of(values), osm.point_of(values), self.words, self.language)
        draft.findings += found.findings
        self._finish(draft, found.content, TAGS)
        return draft

    def _finish(self, draft: ShopDraft, content: dict[str, Any], tags: Mapping[str, str]) -> None:
        def column(path: str) -> str:
            return tags.get(path.partition(".")[0], path)

        try:
            draft.content = ShopContent.model_validate_json(to_json(content))
        except ValidationError as error:
            draft.findings += checks.findings(error, column)
        except ValueError:  # what is no text at all, such as halves of characters
            draft.findings.append(Finding(None, "encoding"))
        else:
            draft.findings += self._of_town(draft.content)

    def _of_town(self, content: ShopContent) -> Iterator[Finding]:
        place = content.place
        if place and (place.lat is None) is not (place.lon is None):
            yield Finding(f"place.{'lat' if place.lat is None else 'lon'}", "one_coordinate")
        known = {name: self.words.words[name] for name in LISTS} | {"place.accessibility": self.accessibility}
        said = {name: getattr(content, name) for name in LISTS}
        said["place.accessibility"] = place.accessibility if place else []
        for name, listed in known.items():
            for word in said[name]:
                if word not in listed:
                    yield Finding(name, "choice", word, params={"options": ", ".join(listed)[:300]})
