"""What the API tells of an outcome: ids only, no address and no content."""

from datetime import datetime

from pydantic import BaseModel


class Outcome(BaseModel):
    """What became of a fact for one recipient or one endpoint."""

    id: str
    fact_id: str
    channel: str
    recipient_id: str | None = None
    webhook_id: str | None = None
    subscription_id: str | None = None
    template: str | None = None
    status: str
    reason: str | None = None
    attempts: int = 0
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None = None
