"""HTTP edge of pictures."""

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from libs.httpkit.auth import require
from libs.httpkit.problems import Problem
from libs.httpkit.transactions import Reading
from libs.servicekit.errors import NotFound, Unavailable
from libs.servicekit.principal import Principal
from services.retail.pictures import commands, queries
from services.retail.pictures.domain import ENDINGS, MAX_BYTES, Refused
from services.retail.pictures.models import Picture
from services.retail.pictures.processing import process
from services.retail.pictures.store import Store

router = APIRouter(prefix="/v1/pictures", tags=["pictures"])
Writer = Annotated[Principal, require("editor", "provider", "merchant")]
PictureId = Annotated[str, InPath(pattern="^[0-9a-f]{64}$")]
# The parts of a form are a little more than the file in it.
MAX_FORM_BYTES = MAX_BYTES + 64 * 1024
# Nobody is made to run what somebody called a picture.
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
SAID = {
    "picture-type": (415, "Unsupported media type"),
}


class Source(BaseModel):
    """A file of a picture."""

    url: str
    media_type: str


class PictureView(BaseModel):
    """A picture the right way up; `sources` from small to large, modern formats before the one that everything shows."""

    id: str
    width: int
    height: int
    sources: list[Source] = Field(
        description="For `srcset`: `<width>.avif`, `.webp`, `.jpg`; and cuts by name."
    )


def view(picture: Picture, base: str) -> PictureView:
    """The picture as the API shows it."""
    sources = [
        Source(url=f"{base}{router.prefix}/{picture.id}/{name}", media_type=ENDINGS[name.rpartition(".")[2]])
        for name in picture.shapes
    ]
    return PictureView(id=picture.id, width=picture.width, height=picture.height, sources=sources)


@router.post("", status_code=201, max_body_size=MAX_FORM_BYTES)
def add_picture(
    picture: Annotated[
        UploadFile, File(description="JPEG, PNG, WebP or AVIF; 15 MB and 50 megapixels at most.")
    ],
    caller: Writer,
    request: Request,
) -> PictureView:
    """Take a picture in. Where it was made, with what and by whom is removed; its id is the same for the same file."""
    content = picture.file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _problem(Refused(code="picture-bytes", values={"most": MAX_BYTES // 1024 // 1024}))
    try:
        done = process(content, (picture.content_type or "").partition(";")[0].strip().lower())
    except Refused as refused:
        raise _problem(refused) from None
    picture_id = hashlib.sha256(content).hexdigest()
    try:
        store_of(request).put(picture_id, done.shapes)
    except OSError:
        raise Unavailable("The store of pictures") from None
    kit = request.app.state.kit
    with kit.database.transaction() as session:
        names = [shape.name for shape in done.shapes]
        kept = commands.keep(session, picture_id, done.size, names, caller.subject)
        return view(kept, kit.settings.public_url)


@router.get("/{picture_id}")
def get_picture(picture_id: PictureId, session: Reading, request: Request) -> PictureView:
    """What there is of a picture."""
    return view(queries.one(session, picture_id), request.app.state.kit.settings.public_url)


@router.get(
    "/{picture_id}/{name}",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in ENDINGS.values()}, "description": "The file."}},
)
def get_file(
    picture_id: PictureId,
    name: Annotated[str, InPath(pattern=r"^[a-z0-9]{1,10}\.(avif|webp|jpg)$")],
    request: Request,
) -> Response:
    """One file of a picture; it never changes."""
    found = store_of(request).path(picture_id, name)
    if found is None:
        raise NotFound("picture")
    return FileResponse(found, media_type=ENDINGS[name.rpartition(".")[2]], headers=HEADERS)


def store_of(request: Request) -> Store:
    """Where this service keeps pictures."""
    home: Path = request.app.state.kit.settings.home
    return Store(home / "pictures")


def _problem(refused: Refused) -> Problem:
    status, title = SAID.get(refused.code, (422, "Invalid request"))
    return Problem(
        status, title, _DETAILS[refused.code].format_map(refused.values), code=refused.code, **refused.values
    )


_DETAILS = {
    "picture-type": "This is {found}, not {stated}.",
    "picture-bytes": "A picture has at most {most} MB.",
    "picture-pixels": "A picture has at most {most} megapixels.",
    "picture-small": "A picture is at least {least} pixels wide and high.",
    "picture-broken": "This is no JPEG, PNG, WebP or AVIF picture, or a broken one.",
    "picture-polyglot": "This file is something else beside a picture.",
}
