"""Web push: a parcel enters, what the browser's push service made of it leaves.

The payload is encrypted for the browser alone (RFC 8291) and signed by the town (RFC 8292), by the library webpush.
"""

import json

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from webpush import WebPush, WebPushSubscription  # type: ignore[import-untyped]

from services.notify.addresses.domain import Channel
from services.notify.deliveries.domain import Outcome
from services.notify.deliveries.models import Delivery
from services.notify.deliveries.sending import Parcel
from services.notify.posting import Attempt, Poster, Result
from services.notify.texts.html import ARROW
from services.notify.vapid import pem

AT_ONCE = 16
TTL_SECONDS = 24 * 3600
# Push services take 4,096 bytes with everything around the text.
MAX_TITLE, MAX_BODY, MAX_URL = 200, 600, 1500


class Push:
    """Sends over whichever push service a browser named."""

    channel, size = Channel.PUSH, AT_ONCE

    def __init__(self, key: EllipticCurvePrivateKey, subscriber: str, poster: Poster) -> None:
        private, public = pem(key)
        self._sealing = WebPush(private, public, subscriber=subscriber, ttl=TTL_SECONDS)
        self._poster = poster

    def wait(self, _to: str, _delivery: Delivery) -> float:
        """Nobody's turn is counted: each push service says itself when it is too much."""
        return 0.0

    async def send(self, parcel: Parcel) -> Outcome:
        """Hand over one message; a push service that is away is tried again by itself, others go on."""
        subscription = WebPushSubscription.model_validate_json(parcel.to)
        message = self._sealing.get(payload(parcel), subscription)
        headers = {name: str(value) for name, value in message.headers.items()}
        headers["Content-Type"] = "application/octet-stream"
        result = await self._poster.post(Attempt(str(subscription.endpoint), message.encrypted, headers))
        return outcome_of(result)

    async def close(self) -> None:
        """End all connections."""
        await self._poster.close()


def payload(parcel: Parcel) -> bytes:
    """What a service worker shows: title, text, where a tap leads, and the message's id as its tag."""
    said = parcel.said
    links = [line.removeprefix(ARROW).strip() for line in said.text.splitlines() if line.startswith(ARROW)]
    shown = {
        "title": said.subject[:MAX_TITLE],
        "body": said.short[:MAX_BODY],
        "url": next((link for link in links if len(link) <= MAX_URL), ""),
        "tag": parcel.delivery_id,
        "lang": said.language,
    }
    return json.dumps(shown, ensure_ascii=False).encode()


def outcome_of(result: Result) -> Outcome:
    """What a push service's answer means (RFC 8030): 404 and 410 end the subscription."""
    if result.taken:
        return Outcome.SENT
    if result.status in (404, 410):
        return Outcome.NO_SUCH_ADDRESS
    passing = result.status is None or result.status == 429 or result.status >= 500
    return Outcome.LATER if passing else Outcome.REFUSED
