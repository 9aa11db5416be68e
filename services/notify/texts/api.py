"""HTTP edge of texts: editors see every message of the town as its recipients would."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from libs.contracts.card import Language
from libs.httpkit.auth import require
from libs.servicekit.errors import NotFound
from libs.servicekit.principal import Principal
from services.notify.texts.preview import Previews

router = APIRouter(prefix="/v1/messages/templates", tags=["messages"])
Editor = Annotated[Principal, require("editor")]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Asked = Annotated[Language, Query(description="Best language there is; German in the end.")]


class TemplateView(BaseModel):
    """A message of the town and the languages it is written in."""

    name: str
    languages: list[str]


class PreviewView(BaseModel):
    """A message with invented facts."""

    language: str
    subject: str
    text: str
    short: str


@router.get("")
def list_message_templates(request: Request, _actor: Editor) -> list[TemplateView]:
    """Every message there is."""
    return [
        TemplateView(name=name, languages=list(found)) for name, found in _of(request).texts.messages.items()
    ]


@router.get("/{name}/preview")
def preview_message(name: Name, request: Request, _actor: Editor, lang: Asked = "de") -> PreviewView:
    """A message with invented facts, as text."""
    return PreviewView.model_validate(_known(request, name).of(name, lang), from_attributes=True)


@router.get("/{name}/preview.html", response_class=HTMLResponse)
def preview_message_as_html(name: Name, request: Request, _actor: Editor, lang: Asked = "de") -> Response:
    """The same as its HTML part."""
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return HTMLResponse(_known(request, name).of(name, lang).html, headers=headers)


def _known(request: Request, name: str) -> Previews:
    previews = _of(request)
    if name not in previews.texts.messages:
        raise NotFound("template")
    return previews


def _of(request: Request) -> Previews:
    previews: Previews = request.app.state.notify.previews
    return previews
