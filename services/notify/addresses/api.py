"""HTTP edge of addresses: a mail server hands in what it could not deliver, or what somebody complained about."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel

from libs.httpkit.auth import require
from libs.httpkit.transactions import Transaction
from libs.servicekit.principal import Principal
from services.notify.addresses import commands
from services.notify.addresses.mail import same
from services.notify.addresses.reports import complaints
from services.notify.edge import Sealing

router = APIRouter(prefix="/v1/mail", tags=["operations"])
Operator = Annotated[Principal, require("operator")]
Report = Annotated[bytes, Body(media_type="message/rfc822", max_length=500_000)]


class Heard(BaseModel):
    """How many addresses nothing is sent to any more because of a report."""

    suppressed: int


@router.post("/reports")
def report_mail(report: Report, session: Transaction, _actor: Operator, vault: Sealing) -> Heard:
    """Take a bounce (DSN) or a complaint (ARF) as a mail server received it; hand it in as often as you like."""
    found = complaints(report)
    for complaint in found:
        commands.suppress(session, vault.mark(same(complaint.address)), complaint.reason)
    return Heard(suppressed=len(found))
