"""Pictures: cleaned, upright, in every shape; what lies about itself or hides something is refused and leaves nothing."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from services.retail.pictures.domain import MAX_BYTES
from services.retail.pictures.processing import process
from tests.retail.conftest import Retail
from tests.service import problem

GPS = 0x8825
ORIENTATION, MAKE, ARTIST = 0x0112, 0x010F, 0x013B


def picture(form: str = "JPEG", size: tuple[int, int] = (800, 600), mode: str = "RGB", **more: Any) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


def with_exif(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE], exif[ARTIST] = orientation, "Handy", "Erika Mustermann"
    exif.get_ifd(GPS).update({1: "N", 2: (50.0, 15.0, 30.0), 3: "E", 4: (10.0, 57.0, 52.0)})
    return picture(exif=exif)


def send(
    service: Retail, content: bytes, kind: str = "image/jpeg", name: str = "foto.jpg"
) -> httpx2.Response:
    headers = service.stack.headers("caretaker")
    return service.http.post("/v1/pictures", files={"picture": (name, content, kind)}, headers=headers)


def files(service: Retail) -> set[Path]:
    return {file for file in (service.stack.home.folder / "pictures").rglob("*") if file.is_file()}


def fetched(service: Retail, url: str) -> httpx2.Response:
    return service.http.get(url[url.index("/v1/") :])


def test_every_shape_is_there_and_says_what_it_is(service: Retail) -> None:
    answer = send(service, picture())
    assert answer.status_code == 201, answer.text
    seen = answer.json()
    assert (seen["width"], seen["height"]) == (800, 600)
    names = [source["url"].rpartition("/")[2] for source in seen["sources"]]
    assert names == [
        *(f"{width}.{ending}" for width in (320, 640) for ending in ("avif", "webp", "jpg")),
        *(f"{name}.jpg" for name in ("square", "wide", "tall")),
    ]
    for source in seen["sources"]:
        file = fetched(service, source["url"])
        assert file.headers["Content-Type"] == source["media_type"]
        assert "immutable" in file.headers["Cache-Control"]
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        opened = Image.open(io.BytesIO(file.content))
        assert opened.get_format_mimetype() == source["media_type"]
    problem(fetched(service, f"/v1/pictures/{seen['id']}/999.jpg"), 404)


def test_where_and_by_whom_it_was_made_is_gone(service: Retail) -> None:
    sent = with_exif()
    assert b"Erika" in sent
    for source in send(service, sent).json()["sources"]:
        content = fetched(service, source["url"]).content
        assert b"Erika" not in content
        assert b"Handy" not in content
        assert not dict(Image.open(io.BytesIO(content)).getexif())


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_it_stands_upright(orientation: int) -> None:
    done = process(with_exif(orientation), "image/jpeg")
    turned = orientation in (6, 8)
    assert done.size == ((600, 800) if turned else (800, 600))


def test_the_same_picture_is_kept_once(service: Retail) -> None:
    content = picture(size=(777, 300))
    first = send(service, content).json()
    before = files(service)
    assert send(service, content).json() == first
    assert files(service) == before


@pytest.mark.parametrize(
    ("form", "mode", "kind"),
    [
        ("PNG", "RGBA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "L", "image/png"),
        ("PNG", "1", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("WEBP", "RGBA", "image/webp"),
        ("AVIF", "RGB", "image/avif"),
    ],
)
def test_whatever_people_have_is_taken(form: str, mode: str, kind: str) -> None:
    done = process(picture(form, (640, 400), mode), kind)
    assert done.size == (640, 400)
    assert len(done.shapes) == 9


def bomb() -> bytes:
    """A PNG whose head promises 20,000 × 20,000 pixels, in some hundred bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (picture("PNG"), "image/jpeg", 415, "picture-type"),
        (picture(), "text/html", 415, "picture-type"),
        (SVG, "image/svg+xml", 422, "picture-polyglot"),
        (SVG.replace(b"script", b"g"), "image/svg+xml", 422, "picture-broken"),
        (b"", "image/jpeg", 422, "picture-broken"),
        (b"GIF89a" + b"\0" * 100, "image/gif", 422, "picture-broken"),
        (picture()[:3000], "image/jpeg", 422, "picture-broken"),
        (bomb(), "image/png", 422, "picture-pixels"),
        (picture(size=(100, 900)), "image/jpeg", 422, "picture-small"),
        (picture() + b"PK\x05\x06" + b"\0" * 18, "image/jpeg", 422, "picture-polyglot"),
        (picture(comment=b"<script>alert(1)</script>"), "image/jpeg", 422, "picture-polyglot"),
        (picture(comment=b"%PDF-1.7"), "image/jpeg", 422, "picture-polyglot"),
        (picture() + b"\0" * MAX_BYTES, "image/jpeg", 422, "picture-bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "…",
)
def test_what_is_no_honest_picture_leaves_nothing(
    service: Retail, content: bytes, kind: str, status: int, code: str
) -> None:
    before = files(service)
    assert problem(send(service, content, kind), status)["code"] == code
    assert files(service) == before


def test_a_large_photo_takes_bounded_memory() -> None:
    """Fifty megapixels are about as much as a phone makes; a JPEG of that is never unpacked as a whole."""
    done = process(picture(size=(8660, 5770)), "image/jpeg")
    assert done.size.width == 1920
