"""The event that a webhook is tried out with: a CloudEvent like any other, of a type that no service publishes."""

import json
from datetime import UTC, datetime

from uuid_utils import uuid7

from services.notify.webhooks.commands import Told

NAME = "notify.webhook.tested.v1"


def trial(prefix: str, public_url: str) -> Told:
    """An event that says it is only a test."""
    event_id = str(uuid7())
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/notify",
        "type": f"{prefix}.{NAME}",
        "subject": "test",
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": f"{public_url}/v1/events/{NAME}",
        "sequence": "0000000001",
        "data": {"test": True},
    }
    return Told(event_id, NAME, f"notify.webhook.{event_id}", json.dumps(event).encode())
