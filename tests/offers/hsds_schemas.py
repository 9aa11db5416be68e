"""The objects and parameters of HSDS 3.1 as we use them, as JSON Schemas of our own.

Names, types, formats, enumerations and what is required were compared with the published ones (openreferral/specification,
schema/*.json and openapi.json, version 3.1.1; by its changelog 3.1.2 and 3.1.3 changed no object and no parameter). Ours
are narrower: what we have no field for must not appear, and some values must have a form. Lists hold the brief objects.
"""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

TEXT = {"type": "string", "minLength": 1}
ID = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
URI = {"type": "string", "format": "uri", "pattern": "^https?://"}
DAY = {"type": "string", "format": "date"}
INSTANT = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$",
}
NUMBER = {"type": "number"}
COUNT = {"type": "number", "minimum": 0}
CLOCK = {"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(Z|[+-]\d\d:\d\d)$"}
DAYS = "MO|TU|WE|TH|FR|SA|SU"


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name), "minItems": 1}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


_SERVICE = {
    "id": ID,
    "name": TEXT,
    "alternate_name": TEXT,
    "description": TEXT,
    "url": URI,
    "status": {"type": "string", "enum": ["active", "inactive", "defunct", "temporarily closed"]},
    "minimum_age": COUNT,
    "maximum_age": COUNT,
    "last_modified": INSTANT,
    "assured_date": DAY,
    "organization": _ref("organization_brief"),
}
_LOCATION = {
    "id": ID,
    "location_type": {"type": "string", "enum": ["physical", "postal", "virtual"]},
    "name": TEXT,
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
}
_ORGANIZATION = {
    "id": ID,
    "name": TEXT,
    "alternate_name": TEXT,
    "description": TEXT,
    "website": URI,
    "legal_status": TEXT,
}
DEFS = {
    "service_brief": _object("id name status", **_SERVICE),
    "service": _object(
        "id name status",
        **_SERVICE,
        schedules=_many("schedule"),
        languages=_many("language"),
        cost_options=_many("cost_option"),
        attributes=_many("attribute"),
        capacities=_many("service_capacity"),
        service_at_locations=_many("service_at_location"),
    ),
    "service_minimal": _object("id modified_date", id=ID, modified_date=INSTANT),
    "schedule": _object(
        "id",
        id=ID,
        valid_from=DAY,
        valid_to=DAY,
        dtstart=DAY,
        timezone=NUMBER,
        count=NUMBER,
        freq={"type": "string", "enum": ["WEEKLY", "MONTHLY"]},
        wkst={"type": "string", "enum": DAYS.split("|")},
        byday={"type": "string", "pattern": f"^({DAYS})(,({DAYS}))*$"},
        opens_at=CLOCK,
        closes_at=CLOCK,
        description=TEXT,
        notes=TEXT,
    ),
    "language": _object("id", id=ID, name=TEXT, code={"type": "string", "pattern": "^[a-z]{2,3}$"}),
    "cost_option": _object(
        "id",
        id=ID,
        currency={"type": "string", "pattern": "^[A-Za-z]{3}$"},
        amount=COUNT,
        amount_description=TEXT,
    ),
    "attribute": _object(
        "id",
        id=ID,
        link_id=ID,
        link_entity=TEXT,
        link_type=TEXT,
        taxonomy_term_id=ID,
        taxonomy_term=_ref("taxonomy_term"),
    ),
    "taxonomy": _object("id name description", id=ID, name=TEXT, description=TEXT, version=TEXT),
    "taxonomy_term": _object(
        "id name description",
        id=ID,
        code=TEXT,
        name=TEXT,
        description=TEXT,
        taxonomy=TEXT,
        taxonomy_id=ID,
        taxonomy_detail=_ref("taxonomy"),
        language={"type": "string", "pattern": "^[a-z]{2,3}$"},
    ),
    "unit": _object("id name", id=ID, name=TEXT),
    "service_capacity": _object(
        "id unit available updated",
        id=ID,
        unit=_ref("unit"),
        available=COUNT,
        maximum=COUNT,
        updated=INSTANT,
    ),
    "service_at_location_brief": _object(
        "id", id=ID, location=_ref("location_brief"), service=_ref("service_brief")
    ),
    "service_at_location": _object("id", id=ID, location=_ref("location"), service=_ref("service")),
    "location_brief": _object("id location_type", **_LOCATION),
    "location": _object(
        "id location_type", **_LOCATION, addresses=_many("address"), accessibility=_many("accessibility")
    ),
    "address": _object(
        "id address_1 city state_province postal_code country address_type",
        id=ID,
        address_1=TEXT,
        city=TEXT,
        region=TEXT,
        state_province=TEXT,
        postal_code=TEXT,
        country={"type": "string", "pattern": "^[A-Z]{2}$"},
        address_type={"type": "string", "enum": ["physical", "postal", "virtual"]},
    ),
    "accessibility": _object("id", id=ID, description=TEXT),
    "organization_brief": _object("id name description", **_ORGANIZATION),
    "organization": _object(
        "id name description", **_ORGANIZATION, locations=_many("location"), services=_many("service")
    ),
    "page": {
        "type": "object",
        # HSDS 3.1 requires `empty` in its schema and all of them in its text.
        "required": [
            *("total_items", "total_pages", "page_number", "size"),
            *("first_page", "last_page", "empty", "contents"),
        ],
        "properties": {
            **{name: {"type": "integer"} for name in ("total_items", "total_pages", "page_number", "size")},
            **{name: {"type": "boolean"} for name in ("first_page", "last_page", "empty")},
            "contents": {"type": "array"},
        },
        "additionalProperties": False,
    },
    "root": _object(
        "version profile openapi_url",
        version=TEXT,
        profile=URI,
        openapi_url=URI,
        description=TEXT,
        publisher=_object("name", name=TEXT),
    ),
}
_LIST = "search page per_page format"
_CLASSIFIED = "taxonomy_term_id taxonomy_id"
_FILTERS = f"{_CLASSIFIED} organization_id modified_after"
# Which query parameters an endpoint has; where POST may be had besides, HSDS calls it optional.
PARAMETERS = {
    "/": "",
    "/services": f"{_LIST} {_FILTERS} minimal full",
    "/services/{id}": "",
    "/taxonomies": _LIST,
    "/taxonomies/{id}": "",
    "/taxonomy_terms": f"{_LIST} taxonomy_id top_only parent_id",
    "/taxonomy_terms/{id}": "",
    "/organizations": f"{_LIST} {_CLASSIFIED} full full_service",
    "/organizations/{id}": "full_service",
    "/service_at_locations": f"{_LIST} {_FILTERS} full postcode proximity",
    "/service_at_locations/{id}": "",
}


@cache
def _validator(name: str) -> Any:
    return Draft202012Validator(
        {"$ref": f"#/$defs/{name}", "$defs": DEFS}, format_checker=FormatChecker(["date"])
    )


def complaints(name: str, value: Any) -> list[str]:
    """What is wrong with an object of this name."""
    return [f"{error.json_path}: {error.message}" for error in _validator(name).iter_errors(value)]
