"""Which endpoints are told of an event: an envelope's bytes enter, the event as it goes out and the endpoints leave."""

from collections.abc import Sequence

from starlette.datastructures import QueryParams

from libs.cardquery.matching import Matching
from libs.cardquery.params import query
from libs.contracts.card import Card
from libs.servicekit.delivery import parse
from services.notify.webhooks.commands import Told
from services.notify.webhooks.domain import asks_for
from services.notify.webhooks.models import Webhook


def told_of(subject: str, body: bytes) -> tuple[Told, Card | None]:
    """A message of the bus as it goes to endpoints, and its card; raises Malformed."""
    event = parse(body, subject)
    parts = subject.split(".")
    thing = ".".join((parts[1], parts[2], parts[-1]))
    return Told(event.id, event.name, thing, body, event.traceparent), event.data.card


def chosen(matching: Matching, hooks: Sequence[Webhook], told: Told, card: Card | None) -> list[str]:
    """The endpoints that ask for an event. One with a question to the card hears what has none, or ended, of its types."""
    return [hook.id for hook in hooks if asks_for(hook.types, told.type) and _answers(matching, hook, card)]


def _answers(matching: Matching, hook: Webhook, card: Card | None) -> bool:
    if not hook.filter or card is None or not card.listed:
        return True
    return matching.subject(card).answers(matching.asked(query(parameters(hook.filter))))


def parameters(filter_: dict[str, object]) -> QueryParams:
    """A filter as the query string that it stands for."""
    pairs = [
        (name, str(each))
        for name, value in filter_.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return QueryParams(pairs)
