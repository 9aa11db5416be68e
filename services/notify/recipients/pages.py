"""The pages that mails link to: a link only asks, the button does it, because mail programs open links by themselves."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from libs.httpkit.links import Signing
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.transactions import Transaction
from libs.servicekit.errors import NotFound, TooMany, Unauthenticated
from libs.servicekit.values import CleanStr
from services.notify.deliveries.domain import CONFIRMATION
from services.notify.edge import GONE_PAGE, RecipientId, Token, page
from services.notify.recipients import commands
from services.notify.recipients.commands import WrongCode

router = APIRouter(prefix="/pages", tags=["pages"], default_response_class=HTMLResponse)
Code = Annotated[CleanStr, Query(max_length=40)]


@router.get("/confirm/{recipient_id}", response_model=None)
def ask_to_confirm(recipient_id: RecipientId, request: Request, code: Code = "") -> HTMLResponse:
    """Ask whether the address is the reader's."""
    return page(request, "confirm")


@router.post(
    "/confirm/{recipient_id}", response_model=None, responses=GONE_PAGE, dependencies=[rate_limited()]
)
def confirm_on_page(recipient_id: RecipientId, request: Request, code: Code = "") -> HTMLResponse:
    """The reader says that the address is theirs."""
    text = request.app.state.notify.town.texts.version(CONFIRMATION)
    try:
        commands.confirmed(request.app.state.kit.database, recipient_id, code, text)
    except (WrongCode, NotFound, TooMany):
        return page(request, "confirm", "confirm_wrong", status=404)
    return page(request, "confirm", "confirm_done")


@router.get("/leave", response_model=None)
def ask_to_leave(token: Token, request: Request) -> HTMLResponse:
    """Ask whether the address is to be erased."""
    return page(request, "leave")


@router.post("/leave", response_model=None, responses=GONE_PAGE, dependencies=[rate_limited()])
def leave(token: Token, session: Transaction, links: Signing, request: Request) -> HTMLResponse:
    """Erase the address; again is harmless."""
    try:
        commands.erase(session, links.read("leave", token))
    except (NotFound, Unauthenticated):
        return page(request, "leave", "gone", status=404)
    return page(request, "leave", "leave_done")
