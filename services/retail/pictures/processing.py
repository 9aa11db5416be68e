"""Pictures through Pillow: bytes enter, the picture in every shape leaves, without metadata and the right way up.

One picture is worked on at a time, and a large JPEG is read at a smaller scale, so that memory stays bounded whatever
is sent: about four bytes a pixel, once.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from PIL import Image, ImageCms, ImageFile, ImageOps

from services.retail.pictures.domain import (
    CROPS,
    MAX_PIXELS,
    MEDIA_TYPES,
    WIDTHS,
    Refused,
    Size,
    check_bytes,
    check_size,
    widths,
)

# A bomb is refused by its head, before anything is unpacked.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
ImageFile.LOAD_TRUNCATED_IMAGES = False
_LARGEST = (WIDTHS[-1], WIDTHS[-1] * 2)
_OPTIONS: dict[str, dict[str, object]] = {
    "AVIF": {"quality": 55, "speed": 9},
    "WEBP": {"quality": 78, "method": 3},
    "JPEG": {"quality": 82, "progressive": True, "optimize": True},
}
_FORMATS = {"avif": "AVIF", "webp": "WEBP", "jpg": "JPEG"}
_one_at_a_time = threading.Lock()


class Shape(NamedTuple):
    """A picture in one shape: its name such as `640.avif`, its bytes."""

    name: str
    content: bytes


class Processed(NamedTuple):
    """A picture the right way up, and all its shapes."""

    size: Size
    shapes: list[Shape]


def process(content: bytes, stated: str) -> Processed:
    """Every shape of a picture; raises Refused for what is none, or not what `stated` (its media type) says."""
    check_bytes(content)
    with _one_at_a_time:
        image = _read(content, stated)
        return Processed(Size(*image.size), list(_shapes(image)))


def _read(content: bytes, stated: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=list(MEDIA_TYPES))
            if MEDIA_TYPES.get(image.format or "") != stated:
                raise Refused(
                    code="picture-type",
                    values={"stated": stated, "found": MEDIA_TYPES.get(image.format or "", "?")},
                )
            check_size(Size(*image.size))
            return _upright(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(code="picture-pixels", values={"most": MAX_PIXELS // 1_000_000}) from None
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, MemoryError):
        raise Refused(code="picture-broken", values={}) from None


def _upright(image: Image.Image) -> Image.Image:
    """The picture as it is meant: at the largest size kept, turned as its camera was held, in the web's colours."""
    profile = image.info.get("icc_profile")
    image.draft("RGB", _LARGEST)
    if image.mode.startswith("I"):  # sixteen bits a colour
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    alpha = "A" in image.getbands() or "transparency" in image.info
    if image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        image = image.convert("RGBA" if alpha else "RGB")
    image.thumbnail(_LARGEST, reducing_gap=2.0)
    turned = ImageOps.exif_transpose(image)
    return _in_srgb(turned.convert("RGBA" if alpha else "RGB"), profile)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and image.mode == "RGB":
        with suppress(ImageCms.PyCMSError, OSError):
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, found, ImageCms.createProfile("sRGB"))
            image = converted or image
    # A new picture with nothing but pixels: no place, no camera, no comment, no thumbnail of what was cut off.
    return Image.frombytes(image.mode, image.size, image.tobytes())


def _shapes(image: Image.Image) -> Iterator[Shape]:
    for width in widths(Size(*image.size)):
        height = max(1, round(image.height * width / image.width))
        scaled = image if width == image.width else image.resize((width, height), Image.Resampling.LANCZOS)
        for ending in _FORMATS:
            yield Shape(f"{width}.{ending}", _written(scaled, ending))
    for name, size in CROPS.items():
        yield Shape(f"{name}.jpg", _written(ImageOps.fit(image, size, Image.Resampling.LANCZOS), "jpg"))


def _written(image: Image.Image, ending: str) -> bytes:
    form = _FORMATS[ending]
    if form == "JPEG" and image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    buffer = io.BytesIO()
    image.save(buffer, form, **_OPTIONS[form])
    return buffer.getvalue()
