"""What citizens think of a result: a rating from a closed list enters, a public fact without any text leaves."""

from hashlib import sha256

from pydantic import Field, model_validator

from libs.bus.connection import Bus
from libs.contracts.event import THING_ID
from libs.contracts.search import Reason, ResultRated
from libs.servicekit.errors import NotFound, Unavailable
from libs.servicekit.outages import Transient
from libs.servicekit.rate_limit import RateLimit
from libs.servicekit.values import Body
from services.search.announce import Announcer
from services.search.engine import Engine


class Rating(Body):
    """Whether a thing that was found helped; the reason may be left out."""

    thing_id: str = Field(pattern=THING_ID)
    helpful: bool
    reason: Reason | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _agrees(self) -> "Rating":
        if self.reason and self.helpful != (self.reason is Reason.FITS):
            raise ValueError("the reason says the opposite of helpful")
        return self


class Feedback:
    """Takes ratings, few at a time from one client."""

    def __init__(self, engine: Engine, index: str, announcer: Announcer, limit: str) -> None:
        self._engine, self._index, self._announcer = engine, index, announcer
        self._rate_limit = RateLimit(limit)

    async def rate(self, bus: Bus, rating: Rating, client: str, key: str | None) -> str:
        """The rating's id, once its fact is kept; the same for a repetition with the same Idempotency-Key.

        Raises NotFound for a thing that cannot be found, TooMany beyond the limit, Unavailable while the broker is away.
        """
        await self._rate_limit.hit(client)
        kind, board = await self._found(rating.thing_id)
        fact = ResultRated(
            thing_id=rating.thing_id, kind=kind, board=board, helpful=rating.helpful, reason=rating.reason
        )
        try:
            return await self._announcer.publish(bus, fact, _id(client, key, rating) if key else None)
        except Transient as error:
            raise Unavailable("The broker") from error

    async def _found(self, thing: str) -> tuple[str, str | None]:
        asked = {
            "filter": f'listed = true AND id = "{thing}"',
            "attributesToRetrieve": ["kind", "board"],
            "limit": 1,
        }
        hits = (await self._engine.search(self._index, asked))["hits"]
        if not hits:
            raise NotFound("thing")
        return hits[0]["kind"], hits[0].get("board")


def _id(client: str, key: str, rating: Rating) -> str:
    """An event id that only the same request of the same client has again; the broker drops the second."""
    return sha256(f"{client}\n{key}\n{rating.model_dump_json()}".encode()).hexdigest()
