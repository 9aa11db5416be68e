"""Who may do what: kinds of callers, and the table of a service that says who of them is let in where."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from uuid_utils import uuid7

from libs.servicekit.kit import Kit
from libs.servicekit.principal import ROLES

ANONYMOUS, OWN, OTHER = "anonymous", "provider, for this one", "provider, for another"
LINK = "holder of a link to this one"
MEMBER = "member of this one, by the service's own word"
# Claims combined: a token that names this one without the role, alone and with every role that is let in nowhere more.
UNROLED, PLENTY = "no role, but named for this one", "every other role, and named for this one"
GONE = "provider, named for this one, which let them go"
CALLERS = (ANONYMOUS, *ROLES, OWN, OTHER, MEMBER, LINK, UNROLED, PLENTY)
EVERYBODY = frozenset(CALLERS)
NOBODY = frozenset[str]()
EDITORS, OPERATORS = frozenset({"editor"}), frozenset({"operator"})
PARTNERS = frozenset({"partner", "operator", PLENTY})
OWN_PEOPLE = frozenset({OWN, MEMBER})
WRITERS = EDITORS | OWN_PEOPLE
MANAGERS = EDITORS | {OWN}

Route = tuple[str, str]  # method and path
# What the kit gives to every service.
COMMON = (
    "/health/live",
    "/health/ready",
    "/metrics",
    "/v1/events",
    "/v1/events/{name}",
    "/v1/problems",
    "/v1/problems/{code}",
)


def some_id() -> str:
    """An id that names nothing."""
    return str(uuid7())


@dataclass(frozen=True)
class Things:
    """What stands in a service's database while callers are let in or not: two organisations, a member of the first and
    one that it let go, the token of a link, the value of each parameter of a path, and the usual body."""

    own: str = field(default_factory=some_id)
    other: str = field(default_factory=some_id)
    member: str = "member"
    gone: str = "gone"
    link: str = "nothing"
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=dict)


@dataclass(frozen=True)
class Access:
    """A service's table, and what its requests need so that whoever is let in changes nothing: a version that nobody has,
    a body of the wrong type."""

    service: str
    table: Mapping[Route, frozenset[str]]
    # What does not even show that it exists to those who may not see it.
    hidden: frozenset[Route] = frozenset()
    # What only a signed link or a recipient's token opens, not an access token.
    by_link: frozenset[Route] = frozenset()
    bodies: Mapping[str, Any] = field(default_factory=dict)
    queries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Writes without an account that are taken more or less often than others, by path.
    rates: Mapping[str, int] = field(default_factory=dict)
    # Paths of those that limit who has an account as well.
    limited_for_all: frozenset[str] = frozenset()
    # Where reading is asked by POST.
    read_by_post: tuple[str, ...] = ()
    make: Callable[[Kit], Things] = lambda _kit: Things()

    @property
    def routes(self) -> Mapping[Route, frozenset[str]]:
        """Everything that the service answers at."""
        return {**self.table, **{("GET", path): EVERYBODY for path in COMMON}}
