"""The ways to a person: a parcel enters, what trying to hand it over came to leaves. Each way has a runner of its own."""

from typing import Protocol

from services.notify.addresses.domain import Channel
from services.notify.addresses.mail import domain_of
from services.notify.config import NotifySettings
from services.notify.deliveries.domain import NEWS, Outcome, ServerAway
from services.notify.deliveries.models import Delivery
from services.notify.deliveries.rate import PerDomain
from services.notify.deliveries.sending import Parcel
from services.notify.deliveries.smtp import Connections


class Way(Protocol):
    """What hands over the messages of one channel, `size` of them at once."""

    channel: Channel
    size: int

    def wait(self, to: str, delivery: Delivery) -> float:
        """The seconds until it is a delivery's turn."""

    async def send(self, parcel: Parcel) -> Outcome:
        """Hand over; raises ServerAway."""

    async def close(self) -> None:
        """End all connections."""


class Mails:
    """Mail over SMTP, so many per domain; news take no turn from what one person waits for."""

    channel = Channel.MAIL

    def __init__(self, own: NotifySettings, sender: str) -> None:
        self.size = own.mail_connections
        name = domain_of(sender)
        self._connections = Connections(own.smtp, self.size, name, own.smtp_ca) if own.smtp else None
        self._rates = PerDomain(own.mail_rate), PerDomain(own.mail_rate)
        self._sender = sender

    def wait(self, to: str, delivery: Delivery) -> float:
        """The seconds until the receiving domain may get it."""
        return self._rates[delivery.template in NEWS].wait(domain_of(to), delivery.id)

    async def send(self, parcel: Parcel) -> Outcome:
        """Hand over to the SMTP server."""
        if self._connections is None:
            raise ServerAway("no SMTP server is set (COBURG_SMTP_URL)")
        if parcel.mail is None:
            return Outcome.REFUSED
        outcome = await self._connections.send(parcel.mail, self._sender, parcel.to)
        for rate in self._rates:
            rate.done(parcel.delivery_id)
        return outcome

    async def close(self) -> None:
        """Say goodbye to the server."""
        if self._connections:
            await self._connections.close()
