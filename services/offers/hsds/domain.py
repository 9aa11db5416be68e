"""Offers and providers as HSDS objects: brief, with what there is once of them, or full. What HSDS requires and we do
not know is left out with the object it is in: an address without its street is none. There are no contacts: offers
know no persons. Every service is active: what is hidden, withdrawn or over is not in the directory."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import to_json

from services.offers.exports.domain import Shown, instant, say
from services.offers.exports.frame import Frame
from services.offers.exports.jsonld import TAGS
from services.offers.hsds.schedule import schedules
from services.offers.hsds.vocabulary import Term, Vocabulary, derived

VERSION = "3.1"
# HSDS as it is, without changes of our own.
PROFILE = "https://github.com/openreferral/specification/tree/3.1"


def service(frame: Frame, shown: Shown) -> dict[str, Any]:
    """A service with what there is once of it."""
    content = shown.content
    texts = [say(content.get(name, {}), frame.spoken) for name in ("summary", "text")]
    name = say(content["title"], frame.spoken)
    other = content["title"].get("en")
    age = content.get("age", {})
    return some(
        {
            "id": shown.id,
            "name": name,
            "alternate_name": other if other != name else None,
            "description": "\n\n".join(filter(None, texts)),
            "url": frame.address(shown),
            "status": "active",
            "minimum_age": _years(age.get("from_months")),
            "maximum_age": _years(age.get("to_months")),
            "assured_date": shown.checked_on and shown.checked_on.isoformat(),
            "last_modified": instant(shown.changed_at),
            "organization": organization(frame, shown.provider_id, shown.provider)
            if shown.provider
            else None,
        }
    )


def full_service(
    frame: Frame, words: Vocabulary, shown: Shown, *, at_location: bool = True
) -> dict[str, Any]:
    """A service with everything that belongs to it."""
    place = shown.content.get("place")
    nested = {
        "schedules": list(schedules(frame, shown)),
        "languages": languages(frame, words, shown),
        "cost_options": costs(shown),
        "attributes": [_attribute(shown.id, term) for term in words.of(shown)],
        "capacities": capacities(frame, shown),
        "service_at_locations": [_at_location(frame, shown, full=True)] if place and at_location else [],
    }
    return service(frame, shown) | some(nested)


def service_name(frame: Frame, shown: Shown) -> dict[str, Any]:
    """A service with what it must say and nothing else."""
    return {"id": shown.id, "name": say(shown.content["title"], frame.spoken), "status": "active"}


def minimal(shown: Shown) -> dict[str, Any]:
    """Only which service it is and when it changed last."""
    return {"id": shown.id, "modified_date": instant(shown.changed_at)}


def service_at_location(frame: Frame, words: Vocabulary, shown: Shown, *, full: bool) -> dict[str, Any]:
    """A service where it is to be had. An offer has one place, so the link has the offer's id."""
    nested = full_service(frame, words, shown, at_location=False) if full else service(frame, shown)
    return _at_location(frame, shown, full=full) | {"service": nested}


def _at_location(frame: Frame, shown: Shown, *, full: bool) -> dict[str, Any]:
    place = shown.content["place"]
    return {"id": shown.id, "location": full_location(frame, place) if full else location(place)}


def location(place: Mapping[str, Any]) -> dict[str, Any]:
    """A place with what there is once of it; the same for all that are there."""
    where = [place.get(name) for name in ("lat", "lon", "street", "postcode", "locality", "district")]
    id_ = derived("location", to_json(where).decode())
    name = ", ".join(filter(None, (place.get("street"), place.get("district"), place.get("locality"))))
    return {"id": id_, "location_type": "physical"} | some(
        {
            "name": name,
            "latitude": place.get("lat"),
            "longitude": place.get("lon"),
        }
    )


def full_location(frame: Frame, place: Mapping[str, Any]) -> dict[str, Any]:
    """A place with its address and how it can be reached without barriers."""
    found = location(place)
    nested = {
        "addresses": _addresses(frame, found["id"], place),
        "accessibility": [
            {"id": derived(found["id"], each), "description": frame.accessible(each)}
            for each in place.get("accessibility", [])
        ],
    }
    return found | some(nested)


def _addresses(frame: Frame, location_id: str, place: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = {
        "address_1": place.get("street"),
        "city": place.get("locality"),
        "state_province": frame.state,
        "postal_code": place.get("postcode"),
        "country": frame.country,
    }
    if not all(known.values()):
        return []
    more = {"region": place["district"]} if place.get("district") else {}
    return [{"id": derived(location_id, "address"), "address_type": "physical", **known, **more}]


def organization(frame: Frame, provider_id: str | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """A provider with what there is once of it."""
    name = say(said["title"], frame.spoken)
    other = said["title"].get("en")
    return some(
        {
            "id": provider_id,
            "name": name,
            "alternate_name": other if other != name else None,
            "description": said.get("kind") or name,
            "website": said.get("url"),
            "legal_status": said.get("kind"),
        }
    )


def full_organization(
    frame: Frame, provider_id: str, said: Mapping[str, Any], services: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    """A provider with its place and its services."""
    nested = {
        "locations": [full_location(frame, said["place"])] if said.get("place") else [],
        "services": list(services),
    }
    return organization(frame, provider_id, said) | some(nested)


def languages(frame: Frame, words: Vocabulary, shown: Shown) -> list[dict[str, Any]]:
    """The languages it is to be had in: German, and those that the board's field names."""
    field = frame.standards(shown.board).languages
    more = [term for term in words.of(shown) if field and term.taxonomy.field == field]
    spoken = [("de", "Deutsch"), *((TAGS.get(term.code, term.code), term.name) for term in more)]
    return [{"id": derived(shown.id, "language", code), "code": code, "name": name} for code, name in spoken]


def costs(shown: Shown) -> list[dict[str, Any]]:
    """Its price."""
    cents = shown.content.get("price_cents")
    if cents is None:
        return []
    each = "je Gruppe" if shown.content.get("price_per") == "group" else "je Person"
    cost = {"id": derived(shown.id, "cost"), "currency": "EUR", "amount": cents / 100}
    return [cost | {"amount_description": each}]


def capacities(frame: Frame, shown: Shown) -> list[dict[str, Any]]:
    """How many places are free, of how many, and since when that is so."""
    if shown.left is None:
        return []
    board = frame.boards.get(shown.board)
    unit = say(board.places.label, frame.spoken) if board else "Plätze"
    most = shown.left.most
    if most is None:
        most = shown.own.get(frame.standards(shown.board).capacity or "")
    found = {
        "id": derived(shown.id, "capacity"),
        "unit": {"id": derived("unit", unit), "name": unit},
        "available": shown.left.free,
        "maximum": most if most is None or most >= shown.left.free else None,
        "updated": instant(shown.left.as_of),
    }
    return [some(found)]


def _attribute(offer: str, term: Term) -> dict[str, Any]:
    return {
        "id": derived(offer, term.id),
        "link_id": offer,
        "link_entity": "service",
        "link_type": term.taxonomy.field or "board",
        "taxonomy_term_id": term.id,
        "taxonomy_term": term.as_hsds(),
    }


def _years(months: int | None) -> float | None:
    return None if months is None else round(months / 12, 2)


def some(values: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [])}
