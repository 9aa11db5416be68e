"""Where people see a thing: the page of the town's portal, as a setting says it."""

from dataclasses import dataclass
from urllib.parse import quote

PATH = "/{kind}/{id}"


@dataclass(frozen=True)
class Portal:
    """`template` is an address with `{kind}` and `{id}`; one without is continued by `/{kind}/{id}`; empty is no portal."""

    template: str = ""

    def page(self, kind: str, thing_id: str) -> str | None:
        """The address of a thing's page, such as https://portal.example/thing/019a…; None without a portal."""
        if not self.template:
            return None
        whole = self.template if "{id}" in self.template else self.template.rstrip("/") + PATH
        return whole.replace("{kind}", quote(kind, safe="")).replace("{id}", quote(thing_id, safe=""))


NO_PORTAL = Portal()
