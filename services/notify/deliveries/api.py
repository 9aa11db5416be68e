"""HTTP edge of deliveries: what a browser needs to be sent messages."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.notify.config import vapid_of
from services.notify.vapid import public_key

router = APIRouter(prefix="/v1", tags=["recipients"])


class PushKey(BaseModel):
    """What a browser needs to subscribe: `applicationServerKey`, base64url."""

    key: str


@router.get("/push/key")
def push_key(request: Request) -> PushKey:
    """The town's public key for web push (VAPID, RFC 8292)."""
    return PushKey(key=public_key(vapid_of(request.app.state.kit.settings)))
