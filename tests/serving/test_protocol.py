"""What a request may take of a process before anybody answers it: tried with raw sockets."""

import socket
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
import uvicorn

from libs.serving.protocol import BoundedProtocol
from tests.serving import endless
from tests.serving.conftest import Served, serving
from tests.waiting import until

HEAD = b"POST /said HTTP/1.1\r\nHost: town\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One process for all of them."""
    with serving(tmp_path_factory.mktemp("served")) as process:
        yield process


def connected(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def answered(url: str, *pieces: bytes, shut: bool = False) -> bytes:
    """Everything that comes back until the other side closes or has answered."""
    with connected(url) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was said
        return received(line)


def received(line: socket.socket) -> bytes:
    found = b""
    try:
        while piece := line.recv(65536):
            found += piece
            if found.endswith(b"}"):
                break
    except ConnectionResetError:
        pass
    return found


def test_a_head_of_64_kib_is_enough(served: Served) -> None:
    fits = HEAD + b"X-A: " + b"a" * 60_000 + b"\r\nConnection: close\r\n\r\n"
    assert answered(served.url, fits).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "piece",
    [b"X-A: " + b"a" * 80_000, b"X-A: 1\r\n" * 12_000, b"X-A" + b"a" * 80_000 + b": 1"],
    ids=["one value", "many headers", "one name"],
)
def test_more_is_refused_at_once(served: Served, piece: bytes) -> None:
    assert answered(served.url, HEAD + piece + b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")


def test_a_long_target_is_a_long_head(served: Served) -> None:
    assert answered(served.url, b"GET /" + b"a" * 80_000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 431 ")


def test_a_hundred_megabytes_of_a_header_cost_nothing(served: Served) -> None:
    before = psutil.Process(served.child.pid).memory_info().rss
    began = time.monotonic()
    answered(served.url, HEAD, b"X-A: ", *[b"a" * 1_000_000] * 100)
    answered(served.url, HEAD, *[b"A: 1\r\n" * 100_000] * 4)
    assert time.monotonic() - began < 2
    assert psutil.Process(served.child.pid).memory_info().rss - before < 16 * 1024 * 1024


def test_a_trailer_is_nobodys_header(served: Served) -> None:
    body = b"\r\n5\r\nhello\r\n0\r\nAuthorization: Bearer me\r\nX-Late: 1\r\n\r\n"
    answer = answered(served.url, CHUNKED + b"Connection: close\r\n" + body)
    assert b'"bytes":5' in answer
    assert b"x-late" not in answer
    assert b"authorization" not in answer
    endless_trailer = b"\r\n5\r\nhello\r\n0\r\n" + b"X-Late: 1\r\n" * 20_000
    assert b" 200 " not in answered(served.url, CHUNKED + endless_trailer + b"\r\n")


def test_a_large_body_and_a_second_request_are_no_head(served: Served) -> None:
    body = b"x" * 900_000
    one = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    last = HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    with connected(served.url) as line:
        line.sendall(one + one + last[:20])
        time.sleep(0.05)
        line.sendall(last[20:])
        until(lambda: line.recv(65536, socket.MSG_PEEK).count(b" 200 ") == 3)


class Hasty(BoundedProtocol):
    """The same with little patience."""

    head_seconds = body_seconds = write_seconds = 0.3


@pytest.fixture
def hasty() -> Iterator[str]:
    """The app behind it, in this process."""
    server = uvicorn.Server(uvicorn.Config(endless.app, port=0, http=Hasty, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"", b""),
        (b"GET / HT", b"HTTP/1.1 408 "),
        (HEAD, b"HTTP/1.1 408 "),
        (HEAD + b"Content-Length: 9\r\n\r\nabc", b""),
        (CHUNKED + b"\r\n5\r\nhe", b""),
    ],
    ids=["nothing", "half a line", "half a head", "half a body", "half a chunk"],
)
def test_what_is_half_sent_ends(hasty: str, said: bytes, answer: bytes) -> None:
    began = time.monotonic()
    assert answered(hasty, said)[: len(answer) or 1] == answer
    assert time.monotonic() - began < 3


def test_a_head_that_drips_ends(hasty: str) -> None:
    with connected(hasty) as line:
        began = time.monotonic()
        line.sendall(HEAD)
        with pytest.raises(OSError, match=r"."):
            while time.monotonic() - began < 5:
                line.sendall(b"X: 1\r\n")
                time.sleep(0.05)
        assert time.monotonic() - began < 3


def test_a_slow_body_that_keeps_coming_is_waited_for(hasty: str) -> None:
    with connected(hasty) as line:
        line.sendall(HEAD + b"Content-Length: 12000\r\n\r\n")
        for _ in range(12):
            line.sendall(b"x" * 1000)
            time.sleep(0.08)
        assert b'"bytes":12000' in received(line)
