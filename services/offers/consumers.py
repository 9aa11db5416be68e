"""What the service handles of the bus."""

from services.offers.bookings import consumers as bookings
from services.offers.needs import consumers as needs

SUBSCRIPTIONS = [
    bookings.SUBSCRIPTION,
    needs.SUBSCRIPTION,
]
