"""The bus: its streams, and the durable consumers of every service. Data only; libs/provision makes it so.

A durable that is missing here does not exist; one that is changed here is updated at the next provisioning.
"""

from dataclasses import dataclass, field

SECOND = 1.0
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
MAX_EVENT_BYTES = 512 * 1024


@dataclass(frozen=True)
class Stream:
    """A JetStream stream on disk. Times in seconds; `max_age` 0 keeps for ever."""

    name: str
    subjects: tuple[str, ...] = ()
    source: str | None = None
    transform: tuple[str, str] | None = None
    max_age: float = 0
    max_per_subject: int = -1
    duplicate_window: float = 10 * MINUTE


@dataclass(frozen=True)
class Consumer:
    """A durable pull consumer. `max_in_flight` bounds what is delivered and not yet acknowledged."""

    durable: str
    stream: str
    filters: tuple[str, ...]
    ack_wait: float = 30 * SECOND
    max_in_flight: int = 1000


STATE_TRANSFORM = ("city.*.*.*.*.*", "state.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(5)}}")

CITY = Stream("CITY", ("city.>",))
STATE = Stream("STATE", source="CITY", transform=STATE_TRANSFORM, max_per_subject=1)
INTERNAL = Stream("INTERNAL", ("internal.>",), max_age=14 * DAY)
DEAD = Stream("DEAD", ("dead.>",), max_age=90 * DAY)

# Facts that end by themselves, in CITY as in STATE: each rating, each lunch is a thing of its own, of which there is no end.
ENDS_AFTER = {"city.search.result.rated.": 400 * DAY, "city.retail.lunch.": 60 * DAY}


def ends_after(subject: str) -> float | None:
    """How long a fact on this subject is kept, in seconds; None for as long as its stream keeps it."""
    return next((age for start, age in ENDS_AFTER.items() if subject.startswith(start)), None)


# Sources come before what is sourced from them.
STREAMS = (CITY, STATE, INTERNAL, DEAD)


@dataclass(frozen=True)
class Listener:
    """A service's subscription to the bus: a durable, and a twin that takes what `coburg dead replay` sends back."""

    name: str
    filters: tuple[str, ...]
    stream: str = CITY.name
    max_in_flight: int = 1000
    ack_wait: float = 30 * SECOND
    durables: tuple[Consumer, Consumer] = field(init=False)

    def __post_init__(self) -> None:
        """Derive both durables."""
        main = Consumer(self.name, self.stream, self.filters, self.ack_wait, self.max_in_flight)
        replay = Consumer(
            f"{self.name}-replay", INTERNAL.name, (f"{replay_subject(self.name)}.>",), self.ack_wait
        )
        object.__setattr__(self, "durables", (main, replay))


def replay_subject(listener: str) -> str:
    """Where a dead letter of a listener is sent to be tried again: never `city.`, that would rewind STATE."""
    return f"internal.replay.{listener}"


def dead_subject(listener: str, subject: str) -> str:
    """Where a listener's dead letter lies; `subject` is the one it came on."""
    original = subject.removeprefix(f"{replay_subject(listener)}.")
    return f"dead.{listener}.{original}"


# What a killed indexer held is delivered again after `ack_wait`; one that is only busy says so in time.
SEARCH = Listener("search", ("city.>",), max_in_flight=20_000, ack_wait=15 * SECOND)

# The exchanges hear what search could not find.
NEEDS = Listener("offers-needs", ("internal.search.query.unanswered.v1.*",), stream=INTERNAL.name)

# Whoever booked is told when a date moves or falls out, or when the offer ends.
BOOKINGS = Listener(
    "offers-bookings",
    (
        "city.offers.session.moved.>",
        "city.offers.session.cancelled.>",
        "city.offers.offer.withdrawn.>",
        "city.offers.offer.expired.>",
    ),
)

# What a shop shows follows the shop.
RETAIL_SHOPS = Listener("retail-shops", ("city.retail.shop.>",))

# Where the town builds, shops nearby say so.
RETAIL_SITES = Listener("retail-sites", ("city.agenda.site.>",))

# Notify is asked for messages, and hears all public facts: it names things in its messages and tells who follows them.
REQUESTS = Listener("notify-requests", ("internal.notify.message.requested.v1.*",), stream=INTERNAL.name)
NEWS = Listener("notify-news", ("city.>",))
# Partners' endpoints are told apart from people, so that neither waits for the other.
HOOKS = Listener("notify-hooks", ("city.>",))

LISTENERS = (SEARCH, NEEDS, BOOKINGS, RETAIL_SHOPS, RETAIL_SITES, REQUESTS, NEWS, HOOKS)
CONSUMERS = tuple(durable for listener in LISTENERS for durable in listener.durables)
