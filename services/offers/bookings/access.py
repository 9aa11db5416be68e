"""Who may touch a booking: the holder of its signed link, the offer's provider, an editor."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from libs.httpkit.auth import Anyone
from libs.httpkit.links import LinkToken, Signing
from libs.selfservice.members.queries import must_act_for
from libs.servicekit.errors import Forbidden, Unauthenticated
from libs.servicekit.principal import Principal
from services.offers.bookings.messages import USE
from services.offers.bookings.models import Booking
from services.offers.offers.models import Offer


@dataclass(frozen=True)
class Party:
    """Whoever calls: by an access token, by the link of one booking, or both."""

    principal: Principal | None = None
    linked: str | None = None

    def holds(self, booking: Booking) -> bool:
        """Whether this is the requester."""
        return self.linked == booking.id

    def must_hold(self, booking: Booking) -> None:
        """Forbidden for everybody but the requester."""
        if not self.holds(booking):
            raise Forbidden("This needs the link of this booking.", code="wrong-link")

    def must_provide(self, offer: Offer) -> None:
        """Forbidden for everybody but the providing side."""
        if self.principal is None:
            raise Forbidden("This needs the link of this booking, or an access token.", code="wrong-link")
        must_act_for(self.principal, offer.provider_id)

    def must_either(self, booking: Booking, offer: Offer) -> None:
        """Forbidden for everybody but the two sides."""
        if not self.holds(booking):
            self.must_provide(offer)


def _party(caller: Anyone, links: Signing, token: LinkToken = None) -> Party:
    if token is not None:
        return Party(caller, links.read(USE, token))
    if caller is None:
        raise Unauthenticated("This needs the link of the booking, or an access token.")
    return Party(caller)


Parties = Annotated[Party, Depends(_party)]
