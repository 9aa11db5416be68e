"""An event stream as a browser reads it (WHATWG HTML): lines enter, events leave."""

import json
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2


class Event(NamedTuple):
    """What was dispatched, and the place to come back to."""

    id: str
    event: str
    data: dict[str, Any]


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Every event of a connection."""
    last, kind, data = "", "message", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(last, kind, json.loads("\n".join(data)))
            kind, data = "message", []
        elif name == "id":
            last = value
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)


class Reader:
    """Reads a stream in the background until it is closed or cut."""

    def __init__(self, url: str, last: str | None = None, **params: Any) -> None:
        self.seen: list[Event] = []
        self._client = httpx2.Client(timeout=60)
        headers = {"Last-Event-ID": last} if last else {}
        request = self._client.build_request("GET", f"{url}/v1/stream", params=params, headers=headers)
        self._answer = self._client.send(request, stream=True)
        assert self._answer.status_code == 200, self._answer.read()
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for event in events(self._answer.iter_lines()):
                self.seen.append(event)
        except (httpx2.HTTPError, RuntimeError):
            return

    def close(self) -> None:
        self._client.close()
