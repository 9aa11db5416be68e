"""What the HTTP edges share: a transaction per request, ETag and If-Match, Idempotency-Key, pages."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlmodel import Session

from libs.httpkit.auth import Anyone
from libs.httpkit.problems import Problem
from libs.httpkit.rate_limit import client_of
from libs.servicekit.db import insert_into, now
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.principal import Principal
from libs.servicekit.tables import KEPT, idempotency
from libs.servicekit.values import CleanStr

_NUMBER = re.compile(r"^[0-9]{1,15}\Z")
_ETAG = re.compile(r'^"(\d{1,15})"$')


def _transaction(request: Request) -> Iterator[Session]:
    with request.app.state.kit.db.transaction() as session:
        yield session


def _reading(request: Request) -> Iterator[Session]:
    with request.app.state.kit.db.reading() as session:
        yield session


# Function scope: the commit comes before the answer, so a 2xx is never sent for what was not kept. So many at once:
# whoever holds a connection needs a thread to go on, and waiting for a turn here takes neither.
Transaction = Annotated[Session, Depends(_transaction, scope="function", max_concurrency=8)]
Reading = Annotated[Session, Depends(_reading, scope="function", max_concurrency=16)]


def etag(version: int) -> dict[str, str]:
    """The header that names a thing's version."""
    return {"ETag": f'"{version}"'}


def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match", max_length=40, description="The ETag of the version that the caller has seen."
        ),
    ] = None,
) -> int:
    if if_match is None:
        raise Problem(
            428, "Precondition required", "Send If-Match with the ETag of the version you have seen."
        )
    match = _ETAG.match(if_match)
    if match is None:
        raise Problem(412, "Precondition failed", 'If-Match must be an ETag such as "3".')
    return int(match[1])


IfMatch = Annotated[int, Depends(_if_match)]


@dataclass(frozen=True)
class Page:
    """How much to list, and after which item (`next` of the page before)."""

    limit: Annotated[int, Query(ge=1, le=200)] = 50
    after: Annotated[CleanStr, Query(max_length=100)] = ""

    @property
    def after_number(self) -> int:
        """The cursor of a list in the order of numbers; Invalid for what no database counts to."""
        if self.after and not _NUMBER.match(self.after):
            raise Invalid(FieldError(field="after", reason="is no cursor of this list"))
        return int(self.after or 0)


Paging = Annotated[Page, Depends()]
T = TypeVar("T")


class Items(BaseModel, Generic[T]):
    """One page; `next` is null on the last."""

    items: list[T]
    next: str | None = None


def page_of(rows: list[T], limit: int, key: str = "id") -> tuple[list[T], str | None]:
    """Cut `limit + 1` selected rows into a page and the cursor of the next."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], str(getattr(rows[limit - 1], key))


class Replayed(Exception):  # noqa: N818 - not an error: the answer was already given
    """The request was answered before; carries that answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


class Once:
    """The Idempotency-Key of a request: its effect and its answer happen once (draft-ietf-httpapi-idempotency-key)."""

    def __init__(self, session: Session, owner: str, key: str | None, fingerprint: str) -> None:
        self._session, self._key = session, None
        if key:
            # A key belongs to its owner: nobody reads another's answer by guessing it.
            self._key = hashlib.sha256(f"{owner}\n{key}".encode()).hexdigest()
            self._claim(self._key, fingerprint)

    def _claim(self, key: str, fingerprint: str) -> None:
        table = idempotency
        self._session.execute(delete(table).where(table.c.key == key, table.c.at < now() - KEPT[table.c.at]))
        claim = insert_into(self._session, table).values(key=key, fingerprint=fingerprint, at=now())
        claim = claim.on_conflict_do_nothing()
        # A second request with the key waits here until the first has committed.
        if self._session.execute(claim.returning(table.c.key)).first() is None:
            self._replay(key, fingerprint)

    def _replay(self, key: str, fingerprint: str) -> None:
        row = self._session.execute(select(idempotency).where(idempotency.c.key == key)).one()
        if row.fingerprint != fingerprint:
            told = "The key was used for a different request."
            raise Problem(422, "Idempotency-Key reused", told, code="idempotency-key-reused")
        raise Replayed(Response(row.body, row.status, {**row.headers, "Idempotency-Replayed": "true"}))

    def answer(
        self, body: BaseModel, status: int, headers: dict[str, str], *, kept: BaseModel | None = None
    ) -> Response:
        """The response, kept for a repetition of the request; `kept` instead of it where it holds what nobody may keep."""
        headers = {**headers, "Content-Type": "application/json"}
        content = body.model_dump_json().encode()
        if self._key:
            again = kept.model_dump_json().encode() if kept else content
            row: dict[str, Any] = {"status": status, "headers": headers, "body": again}
            self._session.execute(update(idempotency).where(idempotency.c.key == self._key).values(row))
        return Response(content, status, headers)


IdempotencyKey = Annotated[CleanStr | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


async def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return digest.hexdigest()


def owner_of(caller: Principal) -> str:
    """Who the keys of somebody with an account belong to."""
    return f"subject {caller.subject}"


def _owner(request: Request, caller: Anyone) -> str:
    """Who a key belongs to: the caller, by what nobody else can show; without an account and a token, the client."""
    if caller:
        return owner_of(caller)
    tokens = [request.headers.get(name) for name in ("Link-Token", "Recipient-Token")]
    return f"tokens {tokens}" if any(tokens) else f"client {client_of(request)}"


def _once(
    session: Transaction,
    owner: Annotated[str, Depends(_owner)],
    fingerprint: Annotated[str, Depends(_fingerprint)],
    key: IdempotencyKey = None,
) -> Once:
    return Once(session, owner, key, fingerprint)


OnlyOnce = Annotated[Once, Depends(_once)]
