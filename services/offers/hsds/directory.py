"""What every request of the directory needs: the boards' words and the town's facts, and what a list is asked for."""

from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from libs.httpkit.params import UtcInstant
from libs.httpkit.transactions import Reading
from libs.servicekit.db import Database
from libs.servicekit.kit import Kit
from libs.servicekit.values import CleanStr
from services.offers.exports import queries as exports
from services.offers.exports.frame import Frame
from services.offers.hsds import paging
from services.offers.hsds.queries import Asked
from services.offers.hsds.vocabulary import Vocabulary

T = TypeVar("T")
Wished = Annotated[CleanStr | None, Query(max_length=64)]


@dataclass(frozen=True)
class Classified:
    """Which classifications things must have."""

    taxonomy_term_id: Wished = None
    taxonomy_id: Wished = None


@dataclass(frozen=True)
class Filters(Classified):
    """Which services; all that is said must hold."""

    organization_id: Wished = None
    modified_after: Annotated[UtcInstant | None, Query(description="Changed then or later.")] = None


@dataclass(frozen=True)
class Directory:
    """One look at the directory."""

    frame: Frame
    words: Vocabulary
    session: Session
    db: Database

    def asked(self, pages: paging.Paging, filters: Classified, **more: Any) -> Asked:
        """What a list is to hold."""
        return Asked(pages.words, tuple(self.frame.spoken), **vars(filters), **more)

    def answer(
        self, pages: paging.Paging, found: paging.Found[T], tell: paging.Teller[T], most: int
    ) -> paging.Page | Response:
        """A list as it was asked for."""
        return paging.answer(pages, self.session, self.db, found, tell, most)


def _directory(request: Request, session: Reading) -> Directory:
    kit: Kit = request.app.state.kit
    frame = exports.frame(session, kit.settings, kit.settings.town["languages"][0])
    return Directory(frame, Vocabulary(frame.boards, frame.spoken), session, kit.database)


Here = Annotated[Directory, Depends(_directory, scope="function")]
