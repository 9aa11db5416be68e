"""A steady load on one town, by clients that do what the documentation asks of them.

They repeat what was not answered with the same Idempotency-Key, and ask what became of a change whose answer was
lost. What a `Writer` keeps of its things was answered with a 2xx or found to be so.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2

from tests.system.town import Json, Town, content, unique_word

PAUSE_SECONDS = 0.02
AGAIN_SECONDS = 0.1

Ask = Callable[[], httpx2.Response]


@dataclass
class Thing:
    """An offer as it was last accepted: its newest word, and those it must not be found by any more."""

    id: str
    version: int
    word: str
    old: list[str] = field(default_factory=list)
    published: bool = True


@dataclass(frozen=True)
class Answer:
    """What came back, and when on the monotonic clock; status 0 is a connection that failed."""

    at: float
    status: int
    headers: httpx2.Headers
    said: str


class Client(threading.Thread):
    """Does one thing after the other, beside what happens in its block, and keeps every answer."""

    def __init__(self, town: Town) -> None:
        super().__init__(daemon=True)
        self.town = town
        self.answers: list[Answer] = []
        self._enough = threading.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_raised: object) -> None:
        """Brings what is under way to its end; raises what went wrong."""
        self._enough.set()
        self.join()
        if self._error:
            raise self._error

    def run(self) -> None:
        """Works until the block ends."""
        try:
            while not self._enough.wait(PAUSE_SECONDS):
                self.step()
        except BaseException as error:
            self._error = error

    def step(self) -> None:
        """One thing to do."""
        raise NotImplementedError

    def asked(self, ask: Ask) -> httpx2.Response | None:
        """The answer to a request; None when the connection failed."""
        try:
            answer = ask()
        except httpx2.TransportError as error:
            self._keep(0, httpx2.Headers(), repr(error))
            return None
        self._keep(answer.status_code, answer.headers, answer.text[:300])
        return answer

    def _keep(self, status: int, headers: httpx2.Headers, said: str) -> None:
        self.answers.append(Answer(time.monotonic(), status, headers, said))


class Citizen(Client):
    """Searches."""

    def step(self) -> None:
        """Ask for something that is there."""
        self.asked(lambda: self.town.search.get("/v1/search", params={"q": "Kita"}))


class Editor(Client):
    """Creates offers, changes them, takes them back and publishes them again."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.things: list[Thing] = []

    def step(self) -> None:
        """One write, accepted in the end."""
        thing = random.choice(self.things) if self.things else None
        if thing is None or random.random() < 0.4:
            self._create()
        elif not thing.published:
            self._move(thing, "publish")
        elif random.random() < 0.3:
            self._move(thing, "withdraw")
        else:
            self._change(thing)

    def _create(self) -> None:
        word, key = unique_word(), {"Idempotency-Key": str(uuid4())}
        said = self._insist(lambda: self.town.create(content(word), key))
        self.things.append(Thing(said["id"], said["version"], word))

    def _change(self, thing: Thing) -> None:
        word = unique_word()
        said = self._insist(lambda: self.town.change(thing.id, thing.version, content(word)), thing)
        assert said["content"]["title"] == content(word)["title"]
        thing.old.append(thing.word)
        thing.word, thing.version = word, said["version"]

    def _move(self, thing: Thing, action: str) -> None:
        said = self._insist(lambda: self.town.move(thing.id, thing.version, action), thing)
        thing.published, thing.version = action == "publish", said["version"]
        assert said["status"] == ("published" if thing.published else "withdrawn")

    def _insist(self, ask: Ask, thing: Thing | None = None) -> Json:
        """Repeat until it is accepted."""
        lost = False
        while True:
            answer = self.asked(ask)
            if answer is not None and answer.is_success:
                accepted: Json = answer.json()
                return accepted
            if thing and lost and answer is not None and answer.status_code == 412:
                # It was done, and the answer was lost: look at what there is now.
                ask = self._reading(thing)
                continue
            assert answer is None or answer.status_code == 503, answer.text
            lost = True
            time.sleep(AGAIN_SECONDS)

    def _reading(self, thing: Thing) -> Ask:
        return lambda: self.town.offers.get(f"/v1/offers/{thing.id}")
