"""What a partner may hear: event types in, its two streams and its rights on the broker out (ADR 43). Values only."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from libs.contracts.catalogue import CATALOGUE, EVERY
from libs.contracts.subjects import covers

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
# Users of the broker have names of their own in every account; the services' are their first words on the bus.
RESERVED = {"sys", "operator", "librarian", "town", "retail", *(name.partition(".")[0] for name in EVERY)}
PREFIX = "de.coburg."
WORDS = 4  # of a type: service, aggregate, fact, version
MAX_CONSUMERS = 10  # of each of the two streams
# Of each consumer. The account says it, not the stream: a stream's limit refuses push consumers without acknowledgements.
MAX_ACK_PENDING = 1000
# Where the partners' account asks for the originals, and gets them (deploy/nats/nats.conf).
ORIGINALS = {"api": "copy", "deliver": "deliver.partners"}


@dataclass(frozen=True)
class Partner:
    """One partner. Dates are ISO days of the town, `until` the last one; `password` is a bcrypt hash."""

    name: str
    types: tuple[str, ...]
    password: str
    since: str
    until: str | None = None
    ended: bool = False  # may do nothing any more; its streams have still to go

    def over(self, today: str) -> bool:
        """Whether its last day has passed."""
        return self.until is not None and self.until < today

    @property
    def streams(self) -> tuple[str, str]:
        """Its streams: every fact, and the newest of each thing."""
        return f"CITY-{self.name}", f"STATE-{self.name}"


def problem(name: str, types: Iterable[str]) -> str | None:
    """Why there can be no such partner."""
    if not NAME.fullmatch(name) or name in RESERVED:
        return f"A partner cannot be called {name!r}: a letter, then letters, digits and hyphens, no service's name."
    for each in types:
        try:
            pattern = subject(each)
        except ValueError:
            return f"{each!r} is no event type: offers.*, offers.offer.* or offers.offer.published.v1."
        if not any(covers(pattern, f"city.{known}.x") for known in CATALOGUE):
            return f"There is no public event type {each!r}; docs/events/ lists them."
    return None


def subject(type_: str) -> str:
    """The subjects of a type: `offers.*` is everything of a service, `offers.offer.published` one fact."""
    words = type_.removeprefix(PREFIX).split(".")
    whole = words[-1] != "*"
    words = words if whole else words[:-1]
    plain = all(re.fullmatch(r"[a-z0-9_-]+", word) for word in words)
    if not plain or len(words) > WORDS or (whole and len(words) < WORDS - 1):
        raise ValueError(type_)
    return ".".join(["city", *words, ">"])


def subjects(types: Iterable[str]) -> list[str]:
    """The subjects of several types; what another of them covers already is left out."""
    wanted = sorted({subject(each) for each in types})
    return [each for each in wanted if not any(other != each and covers(other, each) for other in wanted)]


def stream_configurations(partner: Partner, replicas: int) -> list[dict[str, Any]]:
    """Its two streams as JetStream takes them: mirrors of CITY, so sequences and times are the originals'."""
    facts, state = partner.streams
    wanted = subjects(partner.types)
    return [
        _mirror(facts, [(each, each) for each in wanted], replicas),
        _mirror(state, [_newest(each) for each in wanted], replicas) | {"max_msgs_per_subject": 1},
    ]


def _mirror(name: str, transforms: list[tuple[str, str]], replicas: int) -> dict[str, Any]:
    kept = [{"src": source, "dest": target} for source, target in transforms]
    return {
        "name": name,
        "mirror": {"name": "CITY", "external": ORIGINALS, "subject_transforms": kept},
        "max_consumers": MAX_CONSUMERS,
        "allow_msg_ttl": True,  # what ends by itself in CITY ends here
        "storage": "file",
        "num_replicas": replicas,
    }


def _newest(pattern: str) -> tuple[str, str]:
    """As STATE is made of CITY: `city.<service>.<aggregate>.<fact>.<version>.<id>` → `state.<service>.<aggregate>.<id>`."""
    words = pattern.split(".")[1:-1]
    source = [*words, *["*"] * (WORDS + 1 - len(words))]
    holes = iter(range(1, WORDS + 2))
    caught = [f"{{{{wildcard({next(holes)})}}}}" if word == "*" else word for word in source]
    return ".".join(["city", *source]), ".".join(["state", caught[0], caught[1], caught[-1]])


def user(partner: Partner) -> Mapping[str, Any]:
    """Its block in the broker's configuration: consumers of any name on its own streams, answers to its own inbox."""
    allowed = [right.format(stream) for stream in partner.streams for right in RIGHTS]
    return {
        "user": partner.name,
        "password": partner.password,
        "permissions": {
            "publish": ["$JS.API.INFO", *allowed],
            "subscribe": [f"_INBOX.{partner.name}.>"],
        },
    }


RIGHTS = (
    "$JS.API.STREAM.INFO.{}",
    "$JS.API.CONSUMER.CREATE.{}",
    "$JS.API.CONSUMER.CREATE.{}.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.{}.*",
    "$JS.API.CONSUMER.INFO.{}.*",
    "$JS.API.CONSUMER.LIST.{}",
    "$JS.API.CONSUMER.NAMES.{}",
    "$JS.API.CONSUMER.MSG.NEXT.{}.*",
    "$JS.API.CONSUMER.DELETE.{}.*",
    "$JS.ACK.{}.>",
    "$JS.FC.{}.>",
)
# Makes the copies and looks after them.
LIBRARIAN = {
    "publish": ["$JS.API.STREAM.>", "$JS.API.CONSUMER.LIST.*"],
    "subscribe": ["_INBOX.librarian.>"],
}
