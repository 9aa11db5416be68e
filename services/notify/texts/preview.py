"""Every message of the town with invented facts, as its recipients would see it."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.notify.texts import demo
from services.notify.texts.catalogue import Texts
from services.notify.texts.rendering import Around, Reader, Rendered, render


@dataclass(frozen=True)
class Previews:
    """The town's messages in its time and with its addresses."""

    texts: Texts
    zone: ZoneInfo
    addresses: dict[str, str]

    def of(self, name: str, language: str) -> Rendered:
        """One message with all its facts."""
        why = self.texts.word("layout", "why_message", language)
        values = {**demo.surroundings(), **demo.facts(name)}
        around = Around(why, self.addresses["notify"], self.addresses)
        return render(self.texts, name, Reader(language, self.zone), values, around)

    def check(self) -> None:
        """Put every message into every language it is written in; raises what is wrong with the first that cannot be."""
        for name, languages in self.texts.messages.items():
            for language in languages:
                self.of(name, language)
