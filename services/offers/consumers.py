"""What the service hears on the bus."""

from services.offers.bookings import consumers as bookings
from services.offers.needs import consumers as needs

EARS = [
    bookings.EAR,
    needs.EAR,
]
