"""What the service hears on the bus."""

from services.offers.needs import consumers as needs

EARS = [
    needs.EAR,
]
