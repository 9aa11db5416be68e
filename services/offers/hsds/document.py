"""The OpenAPI document of the HSDS API by itself: readers of HSDS look for `/services`, not for `/hsds/services`."""

import json
import re
from typing import Any

_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def of(whole: dict[str, Any], prefix: str, base: str, version: str) -> dict[str, Any]:
    """What the service's document says of the paths under a prefix, as paths below `base` and the prefix."""
    paths = {
        path.removeprefix(prefix): said
        for path, said in whole["paths"].items()
        if path.startswith(f"{prefix}/")
    }
    return {
        "openapi": whole["openapi"],
        "info": {"title": "HSDS", "version": version},
        "servers": [{"url": f"{base}{prefix}"}],
        "paths": paths,
        "components": {"schemas": _used(paths, whole["components"]["schemas"])},
    }


def _used(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that the paths refer to, and those that these refer to."""
    found: dict[str, Any] = {}
    new = set(_REFERENCE.findall(json.dumps(paths)))
    while new:
        found |= {name: schemas[name] for name in new}
        new = set(_REFERENCE.findall(json.dumps(found))) - found.keys()
    return dict(sorted(found.items()))
