"""A partner's server in this process: takes webhooks as a real one does, and can fail, hang and redirect."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Taken(NamedTuple):
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int] = ("", 0)


class Endpoint:
    """`answers` are statuses for the next requests; afterwards, 200."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.answers: list[int] = []
        self.always: int | None = None
        self.slow: threading.Event | None = None
        self.location = ""
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # whoever sent it was killed meanwhile
                    self.close_connection = True
                    return
                endpoint.taken.append(
                    Taken({k.lower(): v for k, v in self.headers.items()}, body, self.client_address)
                )
                if endpoint.slow:
                    endpoint.slow.wait(30)
                status = endpoint.always or (endpoint.answers.pop(0) if endpoint.answers else 200)
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", endpoint.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def ids(self) -> list[str]:
        """The `webhook-id` of every request."""
        return [each.headers["webhook-id"] for each in self.taken]


@contextmanager
def listening() -> Iterator[Endpoint]:
    """An endpoint that runs."""
    endpoint = Endpoint()
    thread = threading.Thread(
        target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.server.shutdown()
        endpoint.server.server_close()
