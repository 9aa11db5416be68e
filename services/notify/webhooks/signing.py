"""Secrets and signatures of Standard Webhooks: a body enters, the headers that prove who sent it leave."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook as Signer

from libs.contracts.event import CONTENT_TYPE

SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret, as receivers' libraries take it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def headers(keys: Sequence[str], event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """What stands beside a body; with two secrets either proves it."""
    signatures = [Signer(key).sign(event_id, at, body.decode()) for key in keys]
    return {
        "Content-Type": CONTENT_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
