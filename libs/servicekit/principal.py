"""Who calls, as use cases know it."""

from dataclasses import dataclass

ROLES = ("editor", "caretaker", "agenda", "provider", "merchant", "operator", "partner")


@dataclass(frozen=True)
class Principal:
    """The caller. `providers` are the organisations that somebody with the role `provider` may act for."""

    subject: str
    roles: frozenset[str]
    providers: frozenset[str] = frozenset()

    def is_any(self, *roles: str) -> bool:
        """Whether the caller has one of the roles."""
        return not self.roles.isdisjoint(roles)
