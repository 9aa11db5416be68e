"""Facts as they lie on the bus, for tests that read or write it in this process."""

import json
from datetime import UTC, datetime

from nats.js import JetStreamContext
from uuid_utils import uuid7

from libs.contracts.card import Card
from libs.contracts.event import envelope
from libs.contracts.offers import OfferPublished


def offer(title: str, version: int = 1, thing: str | None = None) -> tuple[str, bytes, str]:
    """Subject, bytes and id of a published offer."""
    thing, event_id, at = thing or str(uuid7()), str(uuid7()), datetime.now(UTC)
    said = {"kind": "offer", "board": "sport", "title": {"de": title}}
    fact = OfferPublished(board="sport", changed_at=at, card=Card.model_validate_json(json.dumps(said)))
    event = envelope(
        fact,
        event_id=event_id,
        subject=thing,
        version=version,
        time=at,
        prefix="de.coburg",
        schema_base="http://offers/v1/events",
        traceparent=None,
    )
    return fact.subject(thing), event.to_bytes(), event_id


async def put(js: JetStreamContext, title: str) -> int:
    """An offer on the bus; its place."""
    subject, body, event_id = offer(title)
    return (await js.publish(subject, body, headers={"Nats-Msg-Id": event_id})).seq


async def put_nonsense(js: JetStreamContext) -> int:
    """Something under a fact's subject that is none; its place."""
    return (await js.publish(f"city.offers.offer.published.v1.{uuid7()}", b"{}")).seq
