"""The API document: what FastAPI does not write by itself."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from libs.httpkit.problems import MEDIA_TYPE, ProblemDetails

RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    },
    422: {
        "description": "A field is not as it must be.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    },
}


def install(app: FastAPI) -> None:
    """Complete the document of this app."""
    app.openapi = partial(_completed, app.openapi)  # type: ignore[method-assign]


def _completed(write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    # FastAPI adds what endpoints answer with; what `RESPONSES` refers to it does not know.
    document = write()
    _, found = models_json_schema(
        [(ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}"
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(found["$defs"])
    return document
