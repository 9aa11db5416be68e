"""Every component is killed in turn under a load of writes: nothing accepted is lost, nothing is doubled."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from libs.contracts.topology import CITY, DEAD, STATE
from tests.postgres import Postgres, postgres
from tests.stack import Stack
from tests.system.bus import Stored
from tests.system.conftest import UNLIMITED
from tests.system.load import Answer, Citizen, Client, Editor, Thing
from tests.system.town import Town, content, unique_word
from tests.waiting import until

DOWN_SECONDS = 1.0
CALM_SECONDS = 0.3
MANY = 50
PROBLEM = "application/problem+json"
# The one that leaves most to be delivered again comes first, so that it has the time of all others.
VICTIMS = ("search", "nats", "meilisearch", "offers")


@dataclass
class Storm:
    """A town, what was accepted and answered in it, and when what was dead (on the monotonic clock)."""

    town: Town
    server: Postgres | None
    editors: tuple[Editor, Editor]
    citizen: Citizen
    dead: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def things(self) -> list[Thing]:
        """Every offer that was accepted."""
        return [thing for editor in self.editors for thing in editor.things]

    def strike(self, name: str) -> None:
        """Kills a component and starts it again."""
        began = time.monotonic()
        self.town.stack.kill9(name)
        time.sleep(DOWN_SECONDS)
        self.town.stack.launch(name)
        self.dead[name] = began, time.monotonic()

    def strike_database(self) -> None:
        """The same with PostgreSQL, where there is one; until all of its processes have gone, a second passes."""
        if self.server:
            self.server.kill9()
            self.server.start()

    def unexpected(self, client: Client, name: str) -> list[Answer]:
        """Answers that nobody should ever get, and connections that failed while the service lived."""
        began, ended = self.dead[name]
        return [
            each for each in client.answers if not (fine(each) or (lost(each) and began < each.at < ended))
        ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    """A PostgreSQL that may be killed, or none."""
    if request.param == "sqlite":
        yield None
        return
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def shaken(server: Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town of its own."""
    settings = dict(UNLIMITED)
    if server:
        settings["COBURG_OFFERS_DATABASE_URL"] = server.url
    with Stack(tmp_path_factory.mktemp("shaken"), **settings) as stack:
        town = Town(stack.start())
        yield town
        town.close()


@pytest.fixture(scope="module")
def storm(shaken: Town, server: Postgres | None) -> Storm:
    """Everything was killed once, is back, and the bus has caught up."""
    storm = Storm(shaken, server, (Editor(shaken), Editor(shaken)), Citizen(shaken))
    with storm.editors[0], storm.editors[1], storm.citizen:
        for victim in VICTIMS:
            time.sleep(CALM_SECONDS)
            storm.strike(victim)
        storm.strike_database()
        until(lambda: len(storm.things) > MANY, 30)  # a busy machine writes less meanwhile
    settled(storm)
    return storm


def settled(storm: Storm) -> None:
    """Waits until every accepted write has reached STATE, and search has nothing left to do."""
    accepted = {f"offers.offer.{thing.id}": thing.version for thing in storm.things}
    until(lambda: accepted.items() <= newest(storm.town.facts(STATE.name)).items(), 30)
    until(lambda: storm.town.lag() == 0, 60)


def newest(facts: list[Stored]) -> dict[str, int]:
    """The last version of every thing."""
    return {fact.thing: fact.event.version for fact in facts}


def fine(answer: Answer) -> bool:
    """Done, refused, or told to come back later."""
    if answer.status == 503:
        return answer.headers["Content-Type"] == PROBLEM and "Retry-After" in answer.headers
    return 200 <= answer.status < 300 or (
        400 <= answer.status < 500 and answer.headers["Content-Type"] == PROBLEM
    )


def lost(answer: Answer) -> bool:
    """Whether the connection failed."""
    return answer.status == 0


def wrongly_found(storm: Storm) -> list[str]:
    """Words that are found otherwise than exactly once for what is public, never for what was."""
    due = {thing.word: int(thing.published) for thing in storm.things}
    due |= {word: 0 for thing in storm.things for word in thing.old}
    found = {word: storm.town.total(word) for word in due}
    return [f"{word}: {found[word]} instead of {due[word]}" for word in due if found[word] != due[word]]


def test_every_accepted_write_is_found_once_in_its_last_words_and_nothing_withdrawn(storm: Storm) -> None:
    assert len(storm.things) > MANY
    assert wrongly_found(storm) == []


def test_no_fact_stands_twice_on_the_bus_or_behind_a_newer_one(storm: Storm) -> None:
    facts = storm.town.facts(CITY.name)
    versions: dict[str, list[int]] = {}
    for fact in facts:
        versions.setdefault(fact.thing, []).append(fact.event.version)

    assert len({fact.event.id for fact in facts}) == len(facts)
    assert {thing: numbers for thing, numbers in versions.items() if numbers != sorted(set(numbers))} == {}
    assert newest(storm.town.facts(STATE.name)) == newest(facts)


def test_nothing_died_of_an_outage(storm: Storm) -> None:
    assert storm.town.last_sequence(DEAD.name) == 0


def test_people_were_told_to_come_back_and_never_saw_a_bug(storm: Storm) -> None:
    assert [storm.unexpected(editor, "offers") for editor in storm.editors] == [[], []]
    assert storm.unexpected(storm.citizen, "search") == []


def test_without_its_engine_search_says_when_to_come_back(storm: Storm) -> None:
    storm.town.stack.kill9("meilisearch")

    answer = storm.town.search.get("/v1/search", params={"q": "Kita"})

    storm.town.stack.launch("meilisearch")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, PROBLEM)
    assert int(answer.headers["Retry-After"]) > 0


def test_without_a_broker_offers_are_taken_and_told_later(storm: Storm) -> None:
    word = unique_word()
    storm.town.stack.kill9("nats")

    answer = storm.town.create(content(word))

    storm.town.stack.launch("nats")
    assert answer.status_code == 201
    until(lambda: storm.town.total(word) == 1)


def test_a_deleted_durable_is_named_and_provision_brings_it_back_without_a_loss(storm: Storm) -> None:
    word = unique_word()
    storm.town.delete_consumer("search")

    unready = storm.town.search.get("/health/ready")
    storm.town.create(content(word)).raise_for_status()
    storm.town.coburg("provision")

    assert (unready.status_code, "consumer search" in unready.json()["detail"]) == (503, True)
    until(lambda: storm.town.total(word) == 1, 30)
    until(lambda: storm.town.lag() == 0, 30)
    assert wrongly_found(storm) == []
    assert storm.town.stack.log("search").count("pull interrupted") < 20, "it must not ask in a frenzy"
