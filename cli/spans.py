"""Spans as OpenTelemetry's file exporter writes them: OTLP JSON, one batch a line, one file a service."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("", "internal", "server", "client", "producer", "consumer")
ERROR = 2
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Span:
    """One step of a trace; times in nanoseconds since 1970."""

    trace: str
    id: str
    parent: str
    service: str
    name: str
    kind: str
    start: int
    end: int
    status: int
    message: str
    attributes: dict[str, Any]
    links: tuple[str, ...]

    def writes(self) -> bool:
        """Whether this is an HTTP request that changes something."""
        method = self.attributes.get("http.request.method") or self.attributes.get("http.method")
        return method in WRITES


def read(folder: Path) -> list[Span]:
    """All spans of all services; a line that is still being written is left out."""
    return [span for path in sorted(folder.glob("*.jsonl")) for span in read_file(path)]


def read_file(path: Path) -> Iterator[Span]:
    """The spans of one file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                batch = json.loads(line)
            except ValueError:
                continue
            for resource in batch.get("resourceSpans", []):
                yield from of_resource(resource)


def of_resource(resource: dict[str, Any]) -> Iterator[Span]:
    """The spans that one service's batch holds."""
    service = attributes(resource.get("resource", {})).get("service.name", "?")
    for scope in resource.get("scopeSpans", []):
        for raw in scope.get("spans", []):
            yield span(str(service), raw)


def span(service: str, raw: dict[str, Any]) -> Span:
    """One span; 64-bit numbers are strings in OTLP JSON."""
    status = raw.get("status", {})
    return Span(
        trace=raw["traceId"],
        id=raw["spanId"],
        parent=raw.get("parentSpanId", ""),
        service=service,
        name=raw["name"],
        kind=KINDS[raw.get("kind", 0)],
        start=int(raw["startTimeUnixNano"]),
        end=int(raw["endTimeUnixNano"]),
        status=status.get("code", 0),
        message=status.get("message", ""),
        attributes=attributes(raw),
        links=tuple(link["traceId"] for link in raw.get("links", [])),
    )


def attributes(owner: dict[str, Any]) -> dict[str, Any]:
    """Key and plain value; nested values are of no use here."""
    return {
        each["key"]: next(iter(each.get("value", {}).values()), None) for each in owner.get("attributes", [])
    }
