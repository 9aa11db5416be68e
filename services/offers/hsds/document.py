"""The OpenAPI document of the HSDS API by itself: readers of HSDS look for `/services`, not for `/hsds/services`."""

import json
import re
from typing import Any

_ANSWER = re.compile(r'"#/components/responses/([^"]+)"')
_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def of(whole: dict[str, Any], prefix: str, base: str, version: str) -> dict[str, Any]:
    """What the service's document says of the paths under a prefix, as paths below `base` and the prefix."""
    paths = {
        path.removeprefix(prefix) or "/": said
        for path, said in whole["paths"].items()
        if f"{path}/".startswith(f"{prefix}/")
    }
    named = set(_ANSWER.findall(json.dumps(paths)))
    answers = {name: said for name, said in whole["components"]["responses"].items() if name in named}
    return {
        "openapi": whole["openapi"],
        "info": {**whole["info"], "title": "HSDS", "version": version},
        "servers": [{"url": f"{base}{prefix}"}],
        "paths": paths,
        "components": {
            "responses": answers,
            "schemas": _used([paths, answers], whole["components"]["schemas"]),
        },
    }


def _used(paths: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that the paths refer to, and those that these refer to."""
    found: dict[str, Any] = {}
    new = set(_REFERENCE.findall(json.dumps(paths)))
    while new:
        found |= {name: schemas[name] for name in new}
        new = set(_REFERENCE.findall(json.dumps(found))) - found.keys()
    return dict(sorted(found.items()))
