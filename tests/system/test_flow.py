"""The way of an offer: from an editor's request over the bus into what citizens find, and out of it again."""

from collections.abc import Iterator

import pytest

from tests.system.town import Town, content, unique_word
from tests.waiting import until


class Editor:
    """Carries one offer through its life, always with the version it was last told."""

    def __init__(self, town: Town) -> None:
        self.town, self.id, self.version = town, "", 0

    def create(self, word: str, *, publish: bool) -> None:
        """Drafts it, or publishes it at once."""
        self._told(self.town.create(content(word), publish=publish).raise_for_status().json())

    def say(self, word: str) -> None:
        """Replaces its words."""
        self._told(self.town.change(self.id, self.version, content(word)).raise_for_status().json())

    def move(self, action: str) -> None:
        """Submits, publishes or withdraws it."""
        self._told(self.town.move(self.id, self.version, action).raise_for_status().json())

    def _told(self, offer: dict[str, object]) -> None:
        self.id, self.version = str(offer["id"]), int(str(offer["version"]))

    def facts(self) -> list[tuple[str, int]]:
        """What was published of it: facts and versions."""
        mine = [stored.event for stored in self.town.facts() if stored.event.subject == self.id]
        return [(event.name.split(".")[2], event.version) for event in mine]


@pytest.fixture
def editor(town: Town) -> Iterator[Editor]:
    """Takes the offer back at the end, so that nobody else finds it."""
    editor = Editor(town)
    yield editor
    if town.offers.get(f"/v1/offers/{editor.id}").json()["status"] == "published":
        editor.move("withdraw")
        until(lambda: town.lag() == 0)


def appears(town: Town, word: str) -> str:
    """Waits until exactly one thing answers a word; its id."""
    (found,) = until(lambda: town.find(word)["items"])
    return str(found["id"])


def vanishes(town: Town, word: str) -> None:
    """Waits until nothing answers a word."""
    until(lambda: town.total(word) == 0)


def test_an_offer_is_found_as_long_as_it_is_published_and_in_its_newest_words_only(
    town: Town, editor: Editor
) -> None:
    first, second = unique_word(), unique_word()

    editor.create(first, publish=True)
    assert appears(town, first) == editor.id

    editor.say(second)
    assert appears(town, second) == editor.id
    assert town.total(first) == 0

    editor.move("withdraw")
    vanishes(town, second)

    editor.move("publish")
    assert appears(town, second) == editor.id
    assert editor.facts() == [("published", 1), ("changed", 2), ("withdrawn", 3), ("published", 4)]


def test_a_draft_is_nobodys_business_until_an_editor_publishes_it(town: Town, editor: Editor) -> None:
    word = unique_word()

    editor.create(word, publish=False)
    editor.move("submit")
    drafted = editor.version
    editor.move("publish")

    assert appears(town, word) == editor.id
    assert (drafted, editor.facts()) == (2, [("published", 3)])


def test_who_has_not_seen_the_newest_version_changes_nothing(town: Town, editor: Editor) -> None:
    word = unique_word()
    editor.create(word, publish=True)
    editor.say(word + "x")

    refused = town.change(editor.id, 1, content(word))

    assert (refused.status_code, refused.headers["ETag"]) == (412, '"2"')
    until(lambda: [version for _, version in editor.facts()] == [1, 2])
