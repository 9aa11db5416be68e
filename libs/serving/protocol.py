"""HTTP/1.1 as uvicorn speaks it, with bounds: heads of requests are small and quick, bodies keep coming, trailers go.

Bytes of a connection enter; a head over 64 KiB leaves as 431, one that does not end as 408.
"""

import asyncio
import json
from asyncio.events import TimerHandle
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
# So much of a body must come in `body_seconds`, or what answers it would be held for ever at no cost.
MIN_BODY_BYTES = 1024


class BoundedProtocol(HttpToolsProtocol):
    """One connection; `uvicorn.run(http=BoundedProtocol)`."""

    head_seconds = 10.0
    body_seconds = 20.0
    write_seconds = 60.0  # a reader who takes nothing of its answer for so long is gone

    _head_open = False
    _head_bytes = 0  # of the head as parsed so far
    _unparsed_bytes = 0  # what the parser holds of a header that has not ended
    _body_bytes = 0
    _refusal = HTTPStatus.BAD_REQUEST
    _deadline: TimerHandle | None = None
    _unread: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection on which nothing is asked ends, too."""
        super().connection_made(transport)
        self._expect(self.head_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of it is waited for any more."""
        self._expect(0, None)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, as long as the head stays within its bounds."""
        if self.transport.is_closing():
            return
        if self._head_open and self._head_bytes + self._unparsed_bytes > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        parsed = self._head_bytes
        super().data_received(data)
        self._body_bytes += len(data)
        self._unparsed_bytes = 0 if self._head_bytes != parsed else self._unparsed_bytes + len(data)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head_open, self._head_bytes, self._unparsed_bytes = True, 0, 0
        self._expect(self.head_seconds, self._head_is_late)

    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; one of a trailer is nobody's header."""
        self._count(len(name) + len(value) + 4)
        if self._head_open:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there; the body is waited for."""
        self._head_open = False
        super().on_headers_complete()
        self._body_bytes = 0
        self._expect(self.body_seconds, self._body_is_late)

    def on_message_complete(self) -> None:
        """All of the request is there."""
        self._expect(0, None)
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The other side does not read."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(self.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does."""
        super().resume_writing()
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        """What the parser would not take: our own refusal, or no HTTP."""
        if self._refusal is HTTPStatus.BAD_REQUEST:
            super().send_400_response(msg)
        else:
            self._refuse(self._refusal)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("the head is too large")  # ends the parser, which asks for a 400

    def _expect(self, seconds: float, late: Callable[[], Any] | None) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, late) if late else None

    def _head_is_late(self) -> None:
        if self._head_open:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _body_is_late(self) -> None:
        if self._body_bytes < MIN_BODY_BYTES and not self.flow.read_paused:
            self.transport.close()  # the app is told, as of any client that went away
            return
        self._body_bytes = 0
        self._expect(self.body_seconds, self._body_is_late)

    def _refuse(self, status: HTTPStatus) -> None:
        if self.cycle and not self.cycle.response_complete:
            self.transport.close()  # an answer to what came before is under way
            return
        body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status}).encode()
        head = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()
