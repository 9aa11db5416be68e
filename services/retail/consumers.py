"""The broker edges of the service."""

from services.retail.lunches.consumers import SUBSCRIPTIONS

__all__ = ["SUBSCRIPTIONS"]
