"""The ways to a person: a parcel enters, what trying to hand it over came to leaves."""

from services.notify.addresses.domain import Channel
from services.notify.addresses.mail import domain_of
from services.notify.config import NotifySettings
from services.notify.deliveries.domain import Outcome, ServerAway
from services.notify.deliveries.push import Push
from services.notify.deliveries.rate import PerDomain
from services.notify.deliveries.sending import Parcel
from services.notify.deliveries.smtp import Connections


class Channels:
    """Mail over SMTP, push over the browsers' own services."""

    def __init__(self, own: NotifySettings, sender: str, push: Push) -> None:
        self._push = push
        self._connections = Connections(own.smtp, own.mail_connections) if own.smtp else None
        self._rate = PerDomain(own.mail_rate)
        self._sender = sender

    async def send(self, parcel: Parcel) -> Outcome:
        """Hand over; raises ServerAway."""
        if parcel.channel == Channel.MAIL and parcel.mail is not None:
            if self._connections is None:
                raise ServerAway("no SMTP server is set (COBURG_SMTP_URL)")
            if not await self._rate.may(domain_of(parcel.to)):
                return Outcome.PACED
            return await self._connections.send(parcel.mail, self._sender, parcel.to)
        return await self._push.send(parcel)

    async def close(self) -> None:
        """End all connections."""
        if self._connections:
            await self._connections.close()
        await self._push.close()
