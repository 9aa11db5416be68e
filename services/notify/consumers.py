"""What the service hears on the bus."""

from services.notify.deliveries import consumers as deliveries
from services.notify.subscriptions import consumers as subscriptions

SUBSCRIPTIONS = [
    deliveries.SUBSCRIPTION,
    subscriptions.SUBSCRIPTION,
]
