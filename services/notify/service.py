"""The parts of notify as one: the town's words, and what sends in its name."""

from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from libs.cardquery.matching import Matching
from libs.cardquery.vocabulary import Vocabulary
from libs.contracts.messages import TEMPLATES
from libs.httpkit import recipients as proofs
from libs.servicekit.kit import Kit
from libs.servicekit.settings import Settings
from libs.town import calendar
from services.notify.config import own_settings, vapid_of, vault_of
from services.notify.deliveries.channels import Mails, Way
from services.notify.deliveries.domain import CONFIRMATION
from services.notify.deliveries.push import Push
from services.notify.deliveries.runner import Delivering
from services.notify.deliveries.sending import Sender
from services.notify.deliveries.wording import Town
from services.notify.feeds.bodies import Bodies
from services.notify.feeds.queries import Reading
from services.notify.feeds.streams import Streams
from services.notify.feeds.tail import Tail
from services.notify.posting import Poster
from services.notify.texts.catalogue import read_texts
from services.notify.texts.preview import Previews
from services.notify.texts.rendering import FILTERS
from services.notify.webhooks.runner import Posting

# What notify itself says, beside what services ask for.
OWN_TEMPLATES = (CONFIRMATION, "news", "digest")


class Notify:
    """Made once per process; raises InvalidText when the town's words are not as they must be."""

    def __init__(self, settings: Settings) -> None:
        own = own_settings()
        texts = read_texts(settings.city / "messages", [*TEMPLATES, *OWN_TEMPLATES], FILTERS)
        self._settings = settings
        self.town = Town(
            texts,
            settings.town["name"],
            _origin(settings.portal_url or settings.public_url),
            settings.public_url,
        )
        self.previews = Previews(texts, ZoneInfo(settings.town["timezone"]), self.town.addresses)
        self.previews.check()
        self.patience = timedelta(seconds=own.notify_confirm_seconds)
        self._address = (
            own.mail_from or f"noreply@{'.'.join(reversed(settings.town['event_prefix'].split('.')))}"
        )
        self._own = own

        self.hooks_anywhere = own.webhook_targets == "any"
        self.matching = Matching(calendar.read(settings.city), Vocabulary.of(settings.city))
        self.reading = Reading(self.matching)
        self.bodies = Bodies()
        self.streams = Streams(own.notify_streams, own.notify_streams_each)
        self._tail: Tail | None = None

    def tail_of(self, kit: Kit) -> Tail:
        """The end of the stream, which all readers share."""
        self._tail = self._tail or Tail(kit.bus, self.matching)
        return self._tail

    async def follow(self, kit: Kit) -> None:
        """Read each new fact once for all open streams, until cancelled."""
        await self.tail_of(kit).run()

    async def post(self, kit: Kit) -> None:
        """Tell partners' endpoints what is due, until cancelled."""
        poster = Poster(anywhere=self.hooks_anywhere)
        try:
            await Posting(kit, vault_of(kit.settings), poster).run()
        finally:
            await poster.close()

    async def publish_keys(self, kit: Kit) -> None:
        """Let the other services check the recipient ids that are given out here."""
        proofs.publish_keys(kit.settings)

    async def deliver_mail(self, kit: Kit) -> None:
        """Send the mails that are due, until cancelled."""
        await self._deliver(kit, Mails(self._own, self._address))

    async def deliver_push(self, kit: Kit) -> None:
        """Send what is due to browsers, until cancelled."""
        poster = Poster(anywhere=self.hooks_anywhere)
        await self._deliver(kit, Push(vapid_of(kit.settings), self._address, poster))

    async def _deliver(self, kit: Kit, way: Way) -> None:
        sender = Sender(vault_of(kit.settings), self.town, self._address, self.town.name)
        try:
            await Delivering(kit, sender, way).run()
        finally:
            await way.close()


def _origin(url: str) -> str:
    """Scheme and host of an address, for the town's own paths in `links.toml`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
