"""The API document: what FastAPI does not write by itself, so that readers and generators of clients need not guess.

Who may call is read from an operation's dependencies, ETags from what it answers, problems from both.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from libs.openapi import schemas

Json = dict[str, Any]
BEARER, LINK = "HTTPBearer", "LinkToken"
LICENCE = {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}
METHODS = ("get", "put", "post", "delete", "patch")
ETAG = {
    "description": "The version of the thing; a change of it sends this as If-Match.",
    "schema": {"type": "string"},
}
CODE = "{} Tell problems apart by `code`; `GET /v1/problems` lists them."
TEXTS = {
    "400": "The body cannot be read.",
    "401": "Nobody is known by the token or link, or there is none.",
    "403": "The caller may not do this.",
    "404": "There is no such thing, or not for this caller.",
    "409": "The thing's present state does not allow it.",
    "412": "The thing has moved on since If-Match; ETag says to what.",
    "422": "A field is not as it must be; `errors` says which and why.",
    "428": "If-Match is missing.",
    "429": "Too often; Retry-After says when to come back.",
    "503": "Something is away for now; Retry-After says when to come back.",
}
RESPONSES: dict[int | str, Json] = {
    "default": {"$ref": "#/components/responses/Problem"},
    422: {"$ref": "#/components/responses/Problem422"},
}


@dataclass(frozen=True)
class About:
    """What a document says beside its operations: whom to ask, where it answers, and the body of every problem."""

    server: str
    problem: type[BaseModel]
    problem_media_type: str
    contact: dict[str, str] | None = None


def install(app: FastAPI, about: About) -> None:
    """Complete the document of this app."""
    app.license_info = LICENCE
    app.contact = about.contact
    app.servers = [{"url": about.server}]
    app.openapi = partial(_completed, app, app.openapi, about)  # type: ignore[method-assign]


def operation_id(route: APIRoute) -> str:
    """An operation is called as its function: short, and the same whatever its path."""
    return route.name


def _completed(app: FastAPI, write: Callable[[], Json], about: About) -> Json:
    if app.openapi_schema:  # FastAPI keeps what it wrote, and that is completed already
        return app.openapi_schema
    document = write()
    _add_components(document, about)
    needs = dict(_needs(app))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                _complete(document, path, operation, needs.get((path, method), frozenset()))
    schemas.complete(document)
    _prune(document)
    return document


def _prune(document: Json) -> None:
    """Leave out what this service does not use of what every service may use."""
    used = json.dumps(document["paths"])
    components = document["components"]
    for kind, mark in (("responses", '"#/components/responses/{}"'), ("securitySchemes", '"{}": []')):
        components[kind] = {
            name: component for name, component in components[kind].items() if mark.format(name) in used
        }


def _add_components(document: Json, about: About) -> None:
    # FastAPI adds what endpoints answer with; what `RESPONSES` refers to it does not know.
    components = document.setdefault("components", {})
    template = "#/components/schemas/{model}"
    _, found = models_json_schema([(about.problem, "serialization")], ref_template=template)
    components.setdefault("schemas", {}).update(found["$defs"])
    problem = f"#/components/schemas/{about.problem.__name__}"
    content = {about.problem_media_type: {"schema": {"$ref": problem}}}
    told = {
        "Problem": "A problem (RFC 9457).",
        **{f"Problem{status}": text for status, text in TEXTS.items()},
    }
    components["responses"] = {
        name: {"description": CODE.format(text), "content": content} for name, text in told.items()
    }
    components["securitySchemes"] = {
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "OIDC access token",
        },
        LINK: {
            "type": "apiKey",
            "in": "header",
            "name": "Link-Token",
            "description": "The token of a signed link, as a message or the answer to a first request brought it.",
        },
    }


def _needs(app: FastAPI) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
    """The operations that nobody without a role gets past, with the roles."""
    for route in iter_route_contexts(app.routes):
        dependant: Dependant | None = getattr(route, "dependant", None)
        if dependant is None:
            continue
        roles = frozenset(role for call in _calls(dependant) for role in getattr(call, "roles", ()))
        for method in route.methods or ():
            yield (str(route.path_format), method.lower()), roles


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def _complete(document: Json, path: str, operation: Json, roles: frozenset[str]) -> None:
    headers = {
        each["name"].lower(): each for each in operation.get("parameters", []) if each["in"] == "header"
    }
    operation["security"] = _security(operation, bool(roles), "link-token" in headers)
    problems = {"429", "503"}
    if {} not in operation["security"]:
        problems |= {"401", "403"} if operation["security"] else set()
    if roles:
        told = operation.get("description", "")
        operation["description"] = f"{told}\n\nRoles: {', '.join(sorted(roles))}.".strip()
    if "{" in path:
        problems.add("404")
    if "if-match" in headers:
        headers["if-match"]["required"] = True
        headers["if-match"]["schema"] = {"type": "string", "maxLength": 40}
        problems |= {"412", "428"}
    if "requestBody" in operation:
        problems |= {"400", "409"}
    answers = operation["responses"]
    for status in sorted(problems):
        answers.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    _tell_etags(document, answers)


def _security(operation: Json, needs_role: bool, linked: bool) -> list[Json]:
    bearer: list[Json] = [{BEARER: []}] if "security" in operation else []
    if needs_role:
        return bearer
    if linked:
        return [*bearer, {LINK: []}]
    return [{}, *bearer] if bearer else []


def _tell_etags(document: Json, answers: Json) -> None:
    for status, answer in answers.items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if status.startswith("2") and "version" in document["components"]["schemas"].get(name, {}).get(
            "properties", {}
        ):
            answer.setdefault("headers", {})["ETag"] = ETAG
