"""A sign for the shop window: a story's words and its picture enter, a page to be printed leaves (PDF/UA-1, A4)."""

import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import segno
import typst

# Words come as data, never as the page's own language: nothing in them can be an instruction.
PAGE = """
#let said = json("said.json")
#set document(title: said.title)
#set page(paper: "a4", margin: 2cm)
#set text(lang: said.language, size: 20pt)
#align(center)[
  #if said.picture { image("picture.jpg", width: 100%, height: 11cm, fit: "cover", alt: said.alt) }
  #v(0.4cm)
  #heading(level: 1, text(size: 34pt, said.title))
  #v(0.2cm)
  #text(said.text)
  #v(1fr)
  #image("qr.svg", width: 4.5cm, alt: said.scan)
  #text(size: 16pt, said.link)
  #v(0.3cm)
  #text(size: 22pt, weight: "bold", said.shop)
]
"""


@dataclass(frozen=True)
class Sign:
    """What stands on it; `alt` says what the picture shows, `scan` what the QR code is for."""

    title: str
    text: str
    shop: str
    link: str
    language: str
    scan: str
    alt: str = ""
    picture: Path | None = None


def printed(sign: Sign) -> bytes:
    """The page as a PDF."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "page.typ").write_text(PAGE, encoding="utf-8")
        (folder / "qr.svg").write_bytes(qr(sign.link))
        words = {
            name: getattr(sign, name) for name in ("title", "text", "shop", "link", "language", "scan", "alt")
        }
        words["picture"] = sign.picture is not None
        (folder / "said.json").write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
        if sign.picture:
            (folder / "picture.jpg").write_bytes(sign.picture.read_bytes())
        page: bytes = typst.compile(
            folder / "page.typ", root=folder, pdf_standards=["ua-1"], ignore_system_fonts=True
        )
        return page


def qr(link: str) -> bytes:
    """A QR code as SVG; its error correction bears a fingerprint on the window."""
    buffer = io.BytesIO()
    segno.make(link, error="q", micro=False).save(buffer, kind="svg", scale=8, border=4)
    return buffer.getvalue()
