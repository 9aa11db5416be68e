"""The probe: notes that are written once, changed by version, listed in pages and told as facts."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import Response
from sqlmodel import Column, Field, Session, SQLModel, col, select

from libs.contracts.card import Word
from libs.contracts.offers import ProviderChanged
from libs.httpkit.app import create_app
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.pagination import Items, Paging, page_of
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit import outbox
from libs.servicekit.db import UtcDateTime, now
from libs.servicekit.errors import NotFound, check_version
from libs.servicekit.settings import Settings
from libs.servicekit.values import Body, CleanStr

MIGRATIONS = Path(__file__).parent / "migrations"
SECRET = "the combination is 1-2-3"

router = APIRouter()


class Note(SQLModel, table=True):
    """A note."""

    id: int | None = Field(default=None, primary_key=True)
    text: str
    version: int = 1
    at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))


class NoteBody(Body):
    """What is written into a note."""

    text: Word
    count: int = 1


class NoteView(NoteBody):
    """A note as it is shown."""

    id: int
    version: int


class Caller(Body):
    """Who the service believes to speak to."""

    subject: str
    roles: list[str]
    providers: list[str]


def write(session: Session, text: str) -> Note:
    """A new note and its fact."""
    note = Note(text=text)
    session.add(note)
    session.flush()
    outbox.add(session, ProviderChanged(title={"de": text}), thing_id=f"note{note.id}", version=note.version)
    return note


def view(note: Note) -> NoteView:
    """The note as it is shown."""
    return NoteView(id=note.id or 0, text=note.text, version=note.version)


@router.post("/v1/notes", status_code=201, response_model=NoteView)
def create(body: NoteBody, session: Transaction, idempotency: Idempotency) -> Response:
    """Write a note."""
    note = write(session, body.text)
    return idempotency.answer(view(note), 201, {"Location": f"/v1/notes/{note.id}"})


@router.get("/v1/notes")
def notes(session: Reading, paging: Paging, search: Annotated[CleanStr, Query()] = "") -> Items[NoteView]:
    """Notes in pages."""
    query = select(Note).where(col(Note.text).contains(search), col(Note.id) > int(paging.after or 0))
    found = list(session.exec(query.order_by(col(Note.id)).limit(paging.limit + 1)))
    rows, following = page_of(found, paging.limit)
    return Items(items=[view(row) for row in rows], next=following)


@router.put("/v1/notes/{note_id}")
def change(
    note_id: int, body: NoteBody, session: Transaction, expected: IfMatch, response: Response
) -> NoteView:
    """Write a note anew."""
    note = session.get(Note, note_id)
    if note is None:
        raise NotFound("note")
    check_version(expected, note.version)
    note.text, note.version = body.text, note.version + 1
    response.headers.update(etag(note.version))
    return view(note)


@router.get("/v1/whoami", dependencies=[require("editor", "operator")])
def whoami(caller: Anyone) -> Caller:
    """The caller, as the token says."""
    assert caller is not None
    return Caller(subject=caller.subject, roles=sorted(caller.roles), providers=sorted(caller.providers))


@router.get("/v1/bug")
def bug() -> None:
    """Fails in a way nobody thought of."""
    raise RuntimeError(SECRET)


@router.post("/v1/half")
def half(session: Transaction) -> None:
    """Fails after it has written."""
    write(session, "half")
    raise RuntimeError(SECRET)


@router.post("/v1/raw")
async def raw(request: Request) -> int:
    """How many bytes arrived."""
    return sum([len(piece) async for piece in request.stream()])


def make(settings: Settings, routers: Sequence[APIRouter] = (), **more: Any) -> FastAPI:
    """The service, with further routers where a test brings some."""
    return create_app(
        "probe", title="Probe", routers=[router, *routers], migrations=MIGRATIONS, settings=settings, **more
    )
