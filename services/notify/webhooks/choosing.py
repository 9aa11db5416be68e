"""Which endpoints are told of an event: an envelope's bytes enter, the event as it goes out and the endpoints leave."""

from collections.abc import Sequence

from starlette.datastructures import QueryParams

from libs.cardquery.matching import Asked, Matching
from libs.cardquery.params import query
from libs.contracts.card import Card
from libs.servicekit.delivery import parse
from services.notify.webhooks.commands import Told
from services.notify.webhooks.domain import asks_for
from services.notify.webhooks.models import Webhook

KEPT = 2000


def told_of(subject: str, body: bytes, sequence: int) -> tuple[Told, Card | None]:
    """A message of the bus as it goes to endpoints, and its card; raises InvalidEvent."""
    event = parse(body, subject)
    service, aggregate, _, _, thing = subject.split(".")[-5:]
    told = Told(event.id, event.name, f"{service}.{aggregate}.{thing}", body, event.traceparent, sequence)
    return told, event.data.card


class Choosing:
    """Compares events with what endpoints ask for. An endpoint's filter is read once per version."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._read: dict[tuple[str, int], Asked | None] = {}

    def unreadable(self, hooks: Sequence[Webhook]) -> dict[str, str]:
        """The endpoints whose filter cannot be read any more, with the reason."""
        found = {}
        for hook in hooks:
            try:
                self._asked(hook)
            except Exception as error:  # whatever an older release let in
                found[hook.id] = f"The filter cannot be read: {error}"
        return found

    def chosen(self, hooks: Sequence[Webhook], told: Told, card: Card | None) -> list[str]:
        """The endpoints that ask for an event. One with a question to the card hears what has none, or ended, of its
        types."""
        asking = [hook for hook in hooks if asks_for(hook.types, told.type)]
        if card is None or not card.listed:
            return [hook.id for hook in asking]
        subject = self._matching.subject(card)
        questions = ((hook.id, self._asked(hook)) for hook in asking)
        return [hook_id for hook_id, asked in questions if asked is None or subject.answers(asked)]

    def _asked(self, hook: Webhook) -> Asked | None:
        key = (hook.id, hook.version)
        if key not in self._read:
            asked = self._matching.asked(query(parameters(hook.filter))) if hook.filter else None
            if len(self._read) >= KEPT:
                self._read.clear()
            self._read[key] = asked
        return self._read[key]


def parameters(filter_: dict[str, object]) -> QueryParams:
    """A filter as the query string that it stands for."""
    pairs = [
        (name, str(each))
        for name, value in filter_.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return QueryParams(pairs)
