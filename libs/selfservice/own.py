"""What a service tells self-service of its own things: how a provider is held, and what may be proposed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.selfservice.members.commands import Hold
from libs.selfservice.proposals.commands import Proposable


@dataclass(frozen=True)
class SelfService:
    """`hold` keeps a provider until the transaction ends and raises NotFound when there is none; `proposable` names the
    kinds of things whose public content is proposed."""

    hold: Hold
    proposable: Mapping[str, Proposable] = field(default_factory=dict)
