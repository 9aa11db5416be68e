"""What the service hears on the bus."""

from services.notify.deliveries import consumers as deliveries
from services.notify.things import consumers as things

SUBSCRIPTIONS = [
    deliveries.SUBSCRIPTION,
    things.SUBSCRIPTION,
]
