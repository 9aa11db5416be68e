"""HTTP edge of recipients: register an address, confirm it, change, export and erase what is kept of it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from libs.httpkit import recipients as proofs
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.links import LinkToken
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.transactions import Reading, Transaction
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.settings import Settings
from services.notify.addresses import queries as addresses
from services.notify.addresses.domain import Channel, Status
from services.notify.addresses.mail import InvalidAddress, address_of, same
from services.notify.addresses.models import Recipient
from services.notify.deliveries.domain import CONFIRMATION
from services.notify.edge import RecipientId, Sealing
from services.notify.recipients import commands, queries
from services.notify.recipients.commands import Registration
from services.notify.recipients.views import (
    Confirmation,
    Export,
    KeySet,
    NewRecipient,
    RecipientSettings,
    RecipientView,
    Registered,
    zone_of,
)
from services.notify.vault import Vault

TOKEN_DAYS = 3650

router = APIRouter(prefix="/v1/recipients", tags=["recipients"])


def _opened(recipient_id: RecipientId, request: Request, token: LinkToken = None) -> str:
    proofs.check_own(request.app.state.kit.settings, recipient_id, token)
    return recipient_id


Opened = Annotated[str, Depends(_opened)]


@router.get("/jwks.json")
def proof_keys(request: Request) -> KeySet:
    """The keys with which other services check that a recipient id was given out to who uses it."""
    return KeySet.model_validate(proofs.public_keys(request.app.state.kit.settings))


@router.post("", status_code=201, response_model=Registered, dependencies=[rate_limited("20/hour")])
def register_recipient(
    body: NewRecipient, session: Transaction, idempotency: Idempotency, vault: Sealing, request: Request
) -> Response:
    """Register an address. Its owner is asked to confirm it; what is asked for before waits for that."""
    notify, settings = request.app.state.notify, request.app.state.kit.settings
    address, mark = _address(body, vault)
    said = Registration(
        channel=Channel(body.channel),
        address=address,
        mark=mark,
        language=body.language,
        timezone=zone_of(body.timezone, settings.town["timezone"]),
        quiet=body.quiet,
    )
    recipient = commands.register(session, vault, said, notify.patience)
    token = _proof(settings, vault, recipient)
    answer = Registered(id=recipient.id, token=token, status=recipient.status)
    return idempotency.answer(answer, 201, {"Location": f"/v1/recipients/{recipient.id}"})


def _proof(settings: Settings, vault: Vault, recipient: Recipient) -> str:
    """Of a confirmed address it says who is behind it: before that, anybody could count as anybody."""
    person = vault.person(recipient.mark) if recipient.status == Status.CONFIRMED else None
    return proofs.issue(settings, recipient.id, datetime.now(UTC) + timedelta(days=TOKEN_DAYS), person)


def _address(body: NewRecipient, vault: Vault) -> tuple[str, str]:
    """The address in one text, and its mark; raises Invalid."""
    if body.channel == "push":
        if body.subscription is None:
            raise Invalid(
                FieldError(field="subscription", reason="is needed for channel push", code="missing")
            )
        return body.subscription.model_dump_json(), vault.mark(body.subscription.endpoint)
    if body.address is None:
        raise Invalid(FieldError(field="address", reason="is needed for channel mail", code="missing"))
    try:
        address = address_of(body.address)
    except InvalidAddress as error:
        raise Invalid(FieldError(field="address", reason=str(error), code="address-invalid")) from None
    return address, vault.mark(same(address))


@router.get("/{recipient_id}")
def show_recipient(
    recipient_id: Opened, session: Reading, vault: Sealing, request: Request, response: Response
) -> RecipientView:
    """A recipient as it is kept, without its address."""
    row = addresses.one(session, recipient_id)
    response.headers.update(etag(row.version))
    return RecipientView.of(row, _proof(request.app.state.kit.settings, vault, row))


@router.put("/{recipient_id}", dependencies=[rate_limited()])
def change_recipient(
    recipient_id: Opened, body: RecipientSettings, expected: IfMatch, session: Transaction, response: Response
) -> RecipientView:
    """Change language, time zone or quiet hours."""
    row = commands.change(session, recipient_id, expected, body.language, body.timezone, body.quiet)
    response.headers.update(etag(row.version))
    return RecipientView.of(row)


@router.post("/{recipient_id}/confirm", dependencies=[rate_limited("30/hour", "recipient_id")])
def confirm_recipient(recipient_id: RecipientId, body: Confirmation, request: Request) -> RecipientView:
    """Prove that the address is yours with the code from its mail; again is harmless."""
    return RecipientView.of(
        commands.confirmed(request.app.state.kit.database, recipient_id, body.code, _agreed(request))
    )


def _agreed(request: Request) -> str:
    return str(request.app.state.notify.town.texts.version(CONFIRMATION))


@router.post(
    "/{recipient_id}/confirmation", status_code=202, dependencies=[rate_limited("10/hour", "recipient_id")]
)
def ask_for_confirmation(recipient_id: Opened, session: Transaction) -> None:
    """Have the mail with the code sent again, at once or when enough time has passed since the last one."""
    commands.ask_again(session, recipient_id)


@router.get("/{recipient_id}/export")
def export_recipient(recipient_id: Opened, session: Reading, vault: Sealing) -> Export:
    """Everything that is kept of a recipient."""
    return queries.export(session, vault, recipient_id)


@router.delete("/{recipient_id}", status_code=204, dependencies=[rate_limited()])
def erase_recipient(recipient_id: Opened, session: Transaction) -> None:
    """Erase a recipient with all that waits for it or follows something."""
    commands.erase(session, recipient_id)
