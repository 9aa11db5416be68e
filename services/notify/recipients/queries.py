"""Reads of recipients: everything that is kept of one."""

from typing import Any

from sqlmodel import Session

from services.notify.addresses import queries as addresses
from services.notify.deliveries import queries as deliveries
from services.notify.deliveries.content import Content
from services.notify.deliveries.domain import CONFIRMATION
from services.notify.deliveries.models import Delivery
from services.notify.recipients.views import DeliveryView, Export, RecipientView
from services.notify.subscriptions import queries as subscriptions
from services.notify.subscriptions.views import SubscriptionView
from services.notify.vault import Vault


def export(session: Session, vault: Vault, recipient_id: str) -> Export:
    """Everything that is kept, opened; NotFound when there is no such recipient."""
    row = addresses.one(session, recipient_id)
    return Export(
        recipient=RecipientView.of(row),
        address=vault.open(row.address),
        proof=row.proof,
        subscriptions=[
            SubscriptionView.of(each) for each in subscriptions.of_recipient(session, recipient_id)
        ],
        deliveries=[_shown(vault, each) for each in deliveries.of_recipient(session, recipient_id)],
    )


def _shown(vault: Vault, delivery: Delivery) -> DeliveryView:
    # The code that confirms an address is read in its mailbox and nowhere else.
    hidden = delivery.content is None or delivery.template == CONFIRMATION
    content: Any = None if hidden else Content.model_validate_json(vault.open(delivery.content or b""))
    return DeliveryView.model_validate(
        {**delivery.model_dump(), "content": content and content.model_dump(mode="json")}
    )
