"""The API document is complete in itself."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from libs.openapi.document import RESPONSES
from libs.openapi.schemas import complete
from tests.javascript import findings
from tests.servicekit.conftest import Probe


@pytest.fixture
def document(start: Probe) -> Any:
    return start().get("/openapi.json").json()


def test_what_the_document_refers_to_is_in_it(document: Any) -> None:
    for kind in ("schemas", "responses"):
        named = set(re.findall(rf"#/components/{kind}/([A-Za-z0-9_]+)", str(document)))
        assert named <= set(document["components"][kind])
    assert {"default", 422} <= set(RESPONSES)


def test_linters_have_nothing_to_say(start: Probe, tmp_path: Path) -> None:
    client = start()
    document = client.get("/openapi.json").json() | {"servers": [{"url": "https://notes.town.de"}]}
    assert findings(tmp_path, document) == []
    assert client.get("/openapi.json").json()["servers"] == [{"url": "http://localhost"}]


def test_an_operation_says_who_may_call_it_and_what_may_go_wrong(document: Any) -> None:
    paths = document["paths"]
    assert paths["/v1/whoami"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "Roles: editor, operator." in paths["/v1/whoami"]["get"]["description"]
    assert {"401", "403"} <= paths["/v1/whoami"]["get"]["responses"].keys()
    assert paths["/health/live"]["get"]["security"] == []
    change = paths["/v1/notes/{note_id}"]["put"]
    assert {"404", "412", "422", "428"} <= change["responses"].keys()
    assert "ETag" in change["responses"]["200"]["headers"]
    (if_match,) = (each for each in change["parameters"] if each["name"] == "If-Match")
    assert if_match["required"]


def test_what_requests_and_answers_share_differs_by_its_defaults() -> None:
    thing = {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": {"type": "object", "patternProperties": {"^[a-z]+$": {"type": "string"}}},
            "count": {"type": "integer", "default": 3, "description": "How many."},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }
    reference = {"$ref": "#/components/schemas/Thing"}
    content = {"content": {"application/json": {"schema": reference}}}
    operation: Any = {"requestBody": deepcopy(content), "responses": {"200": deepcopy(content)}}
    document = {
        "paths": {"/things": {"post": operation}},
        "components": {"responses": {}, "schemas": {"Thing": thing}},
    }
    complete(document)
    schemas: Any = document["components"]["schemas"]
    asked = operation["requestBody"]["content"]["application/json"]["schema"]
    assert asked == {"$ref": "#/components/schemas/ThingInput"}
    assert schemas["ThingInput"]["required"] == ["title"]
    assert schemas["Thing"]["required"] == ["title", "count"]
    assert schemas["Thing"]["properties"]["count"] == {
        "type": "integer",
        "description": "How many. Default: 3.",
    }
    assert schemas["Thing"]["properties"]["title"] == {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z]+$"},
        "additionalProperties": {"type": "string"},
    }
