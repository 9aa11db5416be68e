"""HTTP edge of deliveries: operators ask what became of a fact. Ids only, no address and no content."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from libs.httpkit.auth import require
from libs.httpkit.edge import Reading
from libs.servicekit.principal import Principal
from services.notify.config import vapid_of
from services.notify.deliveries import queries
from services.notify.vapid import public_key

router = APIRouter(prefix="/v1", tags=["operations"])
Operator = Annotated[Principal, require("operator")]
FactId = Annotated[
    str, Query(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$", description="An event's id.")
]


class DeliveryOfFact(BaseModel):
    """What became of a fact for one recipient."""

    id: str
    recipient_id: str
    template: str
    subscription_id: str | None
    status: str
    reason: str | None
    attempts: int
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None


@router.get("/deliveries")
def of_fact(fact: FactId, session: Reading, _actor: Operator) -> list[DeliveryOfFact]:
    """Whom one fact reached, how and when, or why not."""
    return [
        DeliveryOfFact.model_validate(row, from_attributes=True) for row in queries.of_fact(session, fact)
    ]


class PushKey(BaseModel):
    """What a browser needs to subscribe: `applicationServerKey`, base64url."""

    key: str


@router.get("/push/key", tags=["recipients"])
def push_key(request: Request) -> PushKey:
    """The town's public key for web push (VAPID, RFC 8292)."""
    return PushKey(key=public_key(vapid_of(request.app.state.kit.settings)))
