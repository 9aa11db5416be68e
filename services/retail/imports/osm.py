"""OpenStreetMap's shops as ours: the tags and the shape of a thing enter, what is said of a shop leaves. Values in, values out.

Source: the wiki of OpenStreetMap on `shop`, `addr`, `contact`, `payment` and `opening_hours`. Mail addresses are left out:
many are a person's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from libs.contracts.retail import ShopKind
from libs.imports.findings import Finding, InvalidCell
from libs.imports.values import web_address
from libs.town.hours import readable
from libs.town.places import Point
from services.retail.shops.domain import PHONE
from services.retail.shops.vocabulary import LISTS, Vocabulary

Tags = Mapping[str, str]
WEBSITES, PHONES = ("website", "contact:website", "url"), ("phone", "contact:phone", "contact:mobile")
MAX_WORD, MAX_HOURS, MAX_TEXT = 200, 300, 20_000
ACCESSIBLE = {"wheelchair": "wheelchair", "toilets:wheelchair": "accessible-toilet"}
MAX_DEPTH = 4  # of the coordinates of a multipolygon


def is_feature(values: Mapping[str, Any]) -> bool:
    """Whether a row is a thing of OpenStreetMap, as GeoJSON or as Overpass tells it."""
    return ("geometry" in values and "properties" in values) or "tags" in values


def key_of(values: Mapping[str, Any]) -> str | None:
    """Its id there, such as `way/28987972`; None when it has none."""
    properties = values.get("properties") or {}
    if "tags" in values and "properties" not in values:
        found = f"{values.get('type')}/{values.get('id')}"
    else:
        found = str(properties.get("@id") or values.get("id") or "")
    return found if re.fullmatch(r"(node|way|relation)/\d{1,15}", found) else None


def tags_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What it is said to be; numbers and the like, as some programs write them, as text."""
    said = values.get("tags", values.get("properties"))
    pairs = said.items() if isinstance(said, dict) else ()
    return {str(name): str(value).strip() for name, value in pairs if isinstance(value, str | int | float)}


def point_of(values: Mapping[str, Any]) -> Point | None:
    """Where it is, latitude first: itself, the centre that Overpass tells, or the middle of its outline."""
    if (own := _pair(values.get("lat"), values.get("lon"))) or (own := _centre(values.get("center"))):
        return own
    geometry = values.get("geometry")
    if isinstance(geometry, dict):
        coordinates = geometry.get("coordinates")
        if geometry.get("type") == "Point" and isinstance(coordinates, list) and len(coordinates) >= 2:
            return _pair(coordinates[1], coordinates[0])
        return _middle(list(_corners(coordinates, MAX_DEPTH)))
    if isinstance(geometry, list):  # `out geom` of Overpass
        return _middle([found for each in geometry if (found := _centre(each))])
    return _of_bounds(values.get("bounds"))


def _centre(value: Any) -> Point | None:
    return _pair(value.get("lat"), value.get("lon")) if isinstance(value, dict) else None


def _pair(lat: Any, lon: Any) -> Point | None:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (lat, lon))
    return (float(lat), float(lon)) if numbers and abs(lat) <= 90 and abs(lon) <= 180 else None


def _corners(value: Any, depth: int) -> Iterator[Point]:
    if not isinstance(value, list) or not depth:
        return
    if len(value) >= 2 and (found := _pair(value[1], value[0])):
        yield found
        return
    for part in value:
        yield from _corners(part, depth - 1)


def _middle(corners: list[Point]) -> Point | None:
    """The middle of the box around it: a shop's house is small, and a ring names its first corner twice."""
    if not corners:
        return None
    lats, lons = zip(*corners, strict=True)
    return (round((min(lats) + max(lats)) / 2, 7), round((min(lons) + max(lons)) / 2, 7))


def _of_bounds(value: Any) -> Point | None:
    if not isinstance(value, dict):
        return None
    low, high = (_pair(value.get(f"{end}lat"), value.get(f"{end}lon")) for end in ("min", "max"))
    return _middle([low, high]) if low and high else None


class Reading:
    """One thing's tags read as a shop; `content` as the HTTP edge takes it, `findings` what is to be said about it."""

    def __init__(self, tags: Tags, point: Point | None, words: Vocabulary, language: str) -> None:
        self._tags, self._words, self._language = tags, words, language
        self.findings: list[Finding] = []
        self.content: dict[str, Any] = {name: self._listed(name) for name in LISTS}
        self.content |= {"kind": next(iter(self._listed("kinds")), ShopKind.RETAIL.value)}
        self.content |= {
            "place": self._place(point),
            "title": self._title(),
            "text": self._texts("description"),
        }
        self.content |= {"hours": self._hours(), "url": self._website(), "phone": self._phone()}
        self.content = {name: value for name, value in self.content.items() if value not in (None, [], {})}

    def _listed(self, name: str) -> list[str]:
        by_tag = self._words.osm[name]
        parts = ((tag, part.strip()) for tag, said in self._tags.items() for part in said.split(";"))
        found = (
            by_tag.get(f"{tag}={part}", by_tag.get(f"{tag}=*", [])) for tag, part in parts if part != "no"
        )
        words = {word for words in found for word in words}
        order = list(self._words.words.get(name, words))  # the town's: what matters most to it stands first
        return sorted(words, key=order.index)[:20]

    def _texts(self, tag: str) -> dict[str, str]:
        """A text in the languages in which it is told."""
        own = {lang: self._tags[f"{tag}:{lang}"] for lang in ("de", "en") if self._tags.get(f"{tag}:{lang}")}
        if said := self._tags.get(tag):
            own.setdefault(self._language, said)
        return {language: text[:MAX_TEXT] for language, text in own.items()}

    def _title(self) -> dict[str, str]:
        """Its name, or what people call a shop without one: what it sells, and where."""
        if named := self._texts("name"):
            return {language: text[:MAX_WORD] for language, text in named.items()}
        for tag in ("operator", "brand"):
            if self._tags.get(tag):
                return self._made({self._language: self._tags[tag][:MAX_WORD]})
        words = self.content["assortment"]
        labels = self._words.words["assortment"].get(words[0], {}) if words else {}
        where = self._tags.get("addr:street") or self._tags.get("addr:city")
        return self._made(
            {language: f"{label}, {where}" if where else label for language, label in labels.items()}
        )

    def _made(self, title: dict[str, str]) -> dict[str, str]:
        if title:
            said = next(iter(title.values()))
            self.findings.append(Finding("name", "title_made", said, severity="notice"))
        return title

    def _place(self, point: Point | None) -> dict[str, Any]:
        named = [
            self._tags.get("addr:street") or self._tags.get("addr:place"),
            self._tags.get("addr:housenumber"),
        ]
        place: dict[str, Any] = {
            "street": " ".join(each for each in named if each)[:MAX_WORD] if named[0] else None,
            "postcode": self._tags.get("addr:postcode", "")[:10] or None,
            "locality": self._tags.get("addr:city", "")[:MAX_WORD] or None,
            "district": self._tags.get("addr:suburb", "")[:MAX_WORD] or None,
            "accessibility": [
                word for tag, word in ACCESSIBLE.items() if self._tags.get(tag) in ("yes", "designated")
            ],
        }
        if point:
            place |= {"lat": point[0], "lon": point[1]}
        else:
            self.findings.append(Finding("geometry", "no_coordinates", severity="notice"))
        return {name: value for name, value in place.items() if value not in (None, [])}

    def _hours(self) -> str | None:
        said = self._tags.get("opening_hours")
        if said and len(said) > MAX_HOURS:
            params = {"limit": str(MAX_HOURS)}
            self.findings.append(Finding("opening_hours", "long_text", said[:200], "notice", params))
            return None
        if said and not readable(said):
            self.findings.append(Finding("opening_hours", "hours_as_text", said[:200], severity="notice"))
        return said or None

    def _website(self) -> str | None:
        for tag, said in self._said(WEBSITES):
            try:
                return web_address(said if "://" in said else f"https://{said}")
            except InvalidCell as wrong:
                self.findings.append(Finding(tag, wrong.code, said[:200], "notice", wrong.params))
        return None

    def _phone(self) -> str | None:
        for tag, said in self._said(PHONES):
            number = re.split("[;,]", said)[0].strip()
            if re.fullmatch(PHONE, number):
                return number
            self.findings.append(Finding(tag, "phone", said[:200], severity="notice"))
        return None

    def _said(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        return ((name, self._tags[name]) for name in names if self._tags.get(name))
