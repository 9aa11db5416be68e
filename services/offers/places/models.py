"""The table of places."""

from datetime import datetime

from sqlmodel import Column, Field, SQLModel

from libs.servicekit.db import UtcDateTime, now
from services.offers.places import domain


class Stock(SQLModel, table=True):
    """The places of one thing: of a session under its id, of an offer without sessions under the offer's.

    `taken` is the sum of what bookings hold. `max` null sets no limit. `stated_free` is what the provider last said;
    while it stands, it is what may be taken.
    """

    __tablename__ = "place_stock"

    id: str = Field(primary_key=True)
    offer_id: str = Field(foreign_key="offer.id")
    unit: str
    max: int | None = None
    taken: int = 0
    stated_free: int | None = None
    as_of: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    version: int = 1

    @property
    def free(self) -> int | None:
        """How many are left; None without a limit."""
        return domain.free(self.max, self.taken, self.stated_free)

    @property
    def limited(self) -> bool:
        """Whether these places can run out."""
        return self.max is not None or self.stated_free is not None
