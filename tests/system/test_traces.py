"""One trace from an editor's request to the search index: which span is whose child, seen in what services record."""

import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from cli.spans import Span
from tests.system.town import Town, content, unique_word
from tests.waiting import until

MANY = 25
# service, kind, beginning of the name: from the request to the index
WAY = [
    ("offers", "server", "POST /v1/offers"),
    ("offers", "producer", "publish city.offers.offer.published.v1"),
    ("search", "consumer", "process city.offers.offer.published.v1"),
    ("search", "client", "meilisearch"),
]


class Caller:
    """A front end that begins traces of its own."""

    def __init__(self) -> None:
        self.trace, self.span = secrets.token_hex(16), secrets.token_hex(8)

    @property
    def header(self) -> dict[str, str]:
        """What it sends along."""
        return {"traceparent": f"00-{self.trace}-{self.span}-01"}


def publish(town: Town, headers: Mapping[str, str] | None = None) -> str:
    """Publishes an offer; its id."""
    return str(town.create(content(unique_word()), headers).raise_for_status().json()["id"])


def withdraw(town: Town, *offers: str) -> None:
    """Takes offers back and waits until they cannot be found."""
    for offer in offers:
        town.move(offer, 1, "withdraw").raise_for_status()
    until(lambda: town.lag() == 0)


def way(spans: list[Span], trace: str) -> list[Span]:
    """The chain of a trace, each the child of the one before; as far as it is recorded."""
    chain: list[Span] = []
    for service, kind, name in WAY:
        parent = chain[-1].id if chain else None
        found = [
            span
            for span in spans
            if (span.trace, span.service, span.kind) == (trace, service, kind)
            and span.name.startswith(name)
            and parent in (None, span.parent)
        ]
        if len(found) != 1:
            break
        chain += found
    return chain


def whole_way(town: Town, trace: str) -> list[Span]:
    """Waits for the whole chain of a trace."""
    return until(lambda: found if len(found := way(town.stack.traces(), trace)) == len(WAY) else None) or []


def test_one_trace_leads_from_the_request_to_the_index(town: Town) -> None:
    began = time.time_ns()
    offer = publish(town)
    (posted,) = until(lambda: requests_since(town, began))

    request, published, processed, indexed = whole_way(town, posted.trace)

    assert request.parent == ""
    assert request.start <= published.start <= processed.start <= indexed.start
    assert indexed.end <= processed.end
    withdraw(town, offer)


def requests_since(town: Town, began: int) -> list[Span]:
    """The requests for new offers since a moment, in nanoseconds since the epoch."""
    return [span for span in town.stack.traces() if span.name == WAY[0][2] and span.start >= began]


def test_a_callers_own_trace_is_continued_and_can_be_looked_at(town: Town) -> None:
    caller = Caller()
    offer = publish(town, caller.header)
    request = whole_way(town, caller.trace)[0]

    printed = town.coburg("trace", caller.trace)

    assert request.parent == caller.span
    assert in_order(printed, [name for _, _, name in WAY])
    withdraw(town, offer)


def test_trace_last_is_the_newest_write(town: Town) -> None:
    withdraw(town, publish(town))
    printed = until(lambda: text if "meilisearch" in (text := town.coburg("trace", "last")) else "")

    title, _, *lines = printed.splitlines()

    assert title.startswith("trace ")
    # Offers and notify may hear the fact as well, before or after search does.
    way = [
        line
        for name in ("offers", "search")
        for line in [each for each in lines if each.startswith(name)][:2]
    ]
    assert [line.split()[0] for line in way] == ["offers", "offers", "search", "search"]
    assert way[0] == lines[0]
    assert "POST /v1/offers/{offer_id}/withdraw" in way[0]
    indents = [len(line) - len(line.removeprefix(line.split()[0]).lstrip()) for line in way]
    assert indents == sorted(set(indents))


def test_within_a_batch_everyone_keeps_their_own_trace(town: Town) -> None:
    callers = [Caller() for _ in range(MANY)]

    with held(town, "search"), ThreadPoolExecutor(4) as pool:
        offers = list(pool.map(lambda caller: publish(town, caller.header), callers))

    chains = [whole_way(town, caller.trace) for caller in callers]
    assert len({chain[2].id for chain in chains}) == MANY
    assert [chain[0].parent for chain in chains] == [caller.span for caller in callers]
    # They went to Meilisearch together: one call, told in everyone's trace.
    assert len({chain[3].start for chain in chains}) < MANY
    withdraw(town, *offers)


@contextmanager
def held(town: Town, name: str) -> Iterator[None]:
    """A component that does nothing meanwhile, so that work piles up before it."""
    process = town.stack.children[name]
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def in_order(text: str, parts: list[str]) -> bool:
    """Whether the parts stand in the text one after the other."""
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)
