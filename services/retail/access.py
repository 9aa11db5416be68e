"""Who may do what in the shop window, beyond what an access token says."""

from dataclasses import replace

from libs.selfservice.members import queries as members
from libs.servicekit.kit import Kit
from libs.servicekit.principal import Principal


def enrich_principal(kit: Kit, caller: Principal) -> Principal:
    """The caretaker is the editor of the shop window; everybody else acts for the shops that they are a member of."""
    if caller.is_any("caretaker"):
        caller = replace(caller, roles=caller.roles | {"editor"})
    return members.enrich_principal(kit, caller)
