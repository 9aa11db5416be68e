"""schema.org in JSON-LD: what an offer is called there. The context is inline, so that nobody has to fetch one."""

from collections.abc import Mapping
from typing import Any

from libs.town.hours import DAYS
from services.offers.exports.domain import Occasion, SchemaType, Shown, at, instant
from services.offers.exports.frame import Frame
from services.offers.exports.weeks import is_weekly, week

_IRI = {"@type": "@id"}
_DATE = {"@type": "Date"}
CONTEXT: dict[str, Any] = {
    "@vocab": "https://schema.org/",
    "url": _IRI,
    "image": {"@id": "image", "@container": "@set"},
    "contentUrl": _IRI,
    "availability": _IRI,
    "eventStatus": _IRI,
    "dayOfWeek": _IRI,
    "dateModified": {"@type": "DateTime"},
    "availabilityStarts": _DATE,
    "availabilityEnds": _DATE,
}
# What schema.org calls the words that a thing is tagged with; a service has no keywords there.
_TAGS: dict[SchemaType, str] = {
    "Service": "category",
    "Event": "keywords",
    "Course": "keywords",
    "ChildCare": "keywords",
    "Place": "keywords",
}
_WEEKDAYS = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
# German sign language has no tag of two letters.
TAGS = {"sign": "gsg"}


def document(frame: Frame, shown: Shown) -> dict[str, Any]:
    """One offer as a document of its own."""
    return {"@context": CONTEXT} | thing(frame, shown)


def thing(frame: Frame, shown: Shown) -> dict[str, Any]:
    """An offer as the thing that its board deals with."""
    content, kind = shown.content, frame.standards(shown.board).schema_type
    said = {
        "@id": f"{frame.base}/v1/offers/{shown.id}",
        "@type": ["Place", "Product"] if kind == "Place" else kind,
        "identifier": shown.id,
        "name": texts(content["title"]),
        "description": texts(content.get("summary", {})),
        "url": frame.address(shown),
        _TAGS[kind]: content.get("tags"),
        "image": _image(content.get("image")),
        "dateModified": instant(shown.changed_at) if kind == "Course" else None,
    }
    return _some(said | _OF[kind](frame, shown))


def texts(text: Mapping[str, str]) -> list[dict[str, str]]:
    """A text in all its languages."""
    return [{"@value": value, "@language": language} for language, value in text.items() if value]


def _service(frame: Frame, shown: Shown) -> dict[str, Any]:
    return {
        "provider": _provider(shown),
        "areaServed": _place(shown),
        "audience": _audience(shown),
        "availableChannel": {"@type": "ServiceChannel", "availableLanguage": _languages(frame, shown)},
        "hoursAvailable": _week(frame, shown),
        "offers": _offer(frame, shown),
    }


def _event(frame: Frame, shown: Shown) -> dict[str, Any]:
    dates = shown.occasions(shown.own.get(frame.standards(shown.board).duration or ""))
    when = _when(shown, dates[0] if dates else None)
    return when | {
        "organizer": _provider(shown),
        "location": _place(shown),
        "audience": _audience(shown),
        "typicalAgeRange": age_range(shown),
        "inLanguage": _languages(frame, shown),
        "subEvent": [_some({"@type": "Event"} | _when(shown, each)) for each in dates[1:]],
        "offers": _offer(frame, shown),
    }


def _course(frame: Frame, shown: Shown) -> dict[str, Any]:
    dates: list[Any] = shown.occasions(shown.own.get(frame.standards(shown.board).duration or ""))
    place = {"@type": "CourseInstance", "location": _place(shown)}
    return {
        "provider": _provider(shown),
        "audience": _audience(shown),
        "typicalAgeRange": age_range(shown),
        "inLanguage": _languages(frame, shown),
        "hasCourseInstance": [_some(place | _when(shown, each)) for each in dates or [None]],
        "offers": _offer(frame, shown),
    }


def _when(shown: Shown, occasion: Occasion | None) -> dict[str, Any]:
    """When it takes place; without dates the days of its period."""
    if occasion is None:
        return {"startDate": at(shown.content, "period.start"), "endDate": at(shown.content, "period.end")}
    status = "EventCancelled" if occasion.cancelled else "EventScheduled"
    return {
        "startDate": instant(occasion.starts_at),
        "endDate": instant(occasion.ends_at),
        "eventStatus": f"https://schema.org/{status}",
    }


def _child_care(frame: Frame, shown: Shown) -> dict[str, Any]:
    place = _place(shown) or {}
    service = {"@type": "Service", "name": texts(shown.content["title"]), "audience": _audience(shown)}
    return {
        "parentOrganization": _provider(shown),
        "address": place.get("address"),
        "geo": place.get("geo"),
        "amenityFeature": place.get("amenityFeature"),
        "openingHours": _hours(frame, shown),
        "knowsLanguage": _languages(frame, shown),
        "makesOffer": (_offer(frame, shown) or {"@type": "Offer"}) | {"itemOffered": _some(service)},
    }


def _place_to_use(frame: Frame, shown: Shown) -> dict[str, Any]:
    place = _place(shown) or {}
    return {
        "brand": _provider(shown),
        "address": place.get("address"),
        "geo": place.get("geo"),
        "amenityFeature": place.get("amenityFeature"),
        "maximumAttendeeCapacity": shown.own.get(frame.standards(shown.board).capacity or ""),
        "offers": _offer(frame, shown),
    }


_OF: dict[SchemaType, Any] = {
    "Service": _service,
    "Event": _event,
    "Course": _course,
    "ChildCare": _child_care,
    "Place": _place_to_use,
}


def _provider(shown: Shown) -> dict[str, Any] | None:
    if shown.provider is None:
        return None
    address = {"@id": f"urn:uuid:{shown.provider_id}", "@type": "Organization"}
    return address | _some({"name": texts(shown.provider["title"]), "url": shown.provider.get("url")})


def _place(shown: Shown) -> dict[str, Any] | None:
    place = shown.content.get("place")
    if not place:
        return None
    address = {
        "streetAddress": place.get("street"),
        "postalCode": place.get("postcode"),
        "addressLocality": place.get("locality"),
        "addressRegion": place.get("district"),
    }
    point = {"latitude": place.get("lat"), "longitude": place.get("lon")}
    features = [
        {"@type": "LocationFeatureSpecification", "name": name, "value": True}
        for name in place.get("accessibility", [])
    ]
    said = {
        "@type": "Place",
        "address": _typed("PostalAddress", address),
        "geo": _typed("GeoCoordinates", point),
    }
    return _some(said | {"amenityFeature": features})


def _audience(shown: Shown) -> dict[str, Any] | None:
    low, high = at(shown.content, "age.from_months"), at(shown.content, "age.to_months")
    ages = {"suggestedMinAge": _years(low), "suggestedMaxAge": _years(high)}
    return _typed("PeopleAudience", ages)


def _years(months: int | None) -> float | None:
    return None if months is None else round(months / 12, 2)


def age_range(shown: Shown) -> str | None:
    """For whom, in whole years: `6-10`, `6-`; the month before the eleventh birthday is still the tenth year."""
    low, high = at(shown.content, "age.from_months"), at(shown.content, "age.to_months")
    if low is None and high is None:
        return None
    return f"{(low or 0) // 12}-{'' if high is None else high // 12}"


def _languages(frame: Frame, shown: Shown) -> list[str]:
    more = shown.own.get(frame.standards(shown.board).languages or "") or []
    return list(dict.fromkeys(["de", *(TAGS.get(name, name) for name in more)]))


def _hours(frame: Frame, shown: Shown) -> list[str] | None:
    hours = shown.own.get(frame.standards(shown.board).hours or "")
    return hours.split("; ") if hours else None


def _week(frame: Frame, shown: Shown) -> list[dict[str, Any]] | None:
    """Opening hours day by day; those that no week can say are told in the words in which they were written."""
    hours = shown.own.get(frame.standards(shown.board).hours or "")
    if not hours:
        return None
    kind = {"@type": "OpeningHoursSpecification"}
    if not is_weekly(hours):
        return [kind | {"description": hours}]
    return [
        kind
        | {
            "dayOfWeek": f"https://schema.org/{_WEEKDAYS[day]}",
            "opens": opens,
            "closes": "23:59" if closes == "24:00" else closes,
        }
        for day, spans in week(hours, frame.today).items()
        for opens, closes in spans
    ]


def _offer(frame: Frame, shown: Shown) -> dict[str, Any] | None:
    price, free = shown.content.get("price_cents"), shown.left.free if shown.left else None
    said = {
        "price": None if price is None else f"{price // 100}.{price % 100:02}",
        "priceCurrency": None if price is None else "EUR",
        "availability": None if free is None else f"https://schema.org/{'InStock' if free else 'SoldOut'}",
        "inventoryLevel": None if free is None else {"@type": "QuantitativeValue", "value": free},
        "availabilityStarts": at(shown.content, "period.start"),
        "availabilityEnds": at(shown.content, "period.end"),
    }
    return _typed("Offer", said)


def _image(image: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return (
        {"@type": "ImageObject", "contentUrl": image["url"], "caption": texts(image["alt"])}
        if image
        else None
    )


def _typed(kind: str, values: dict[str, Any]) -> dict[str, Any] | None:
    found = _some(values)
    return {"@type": kind} | found if found else None


def _some(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value not in ("", [], {})}
