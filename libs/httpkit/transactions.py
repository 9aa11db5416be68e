"""A transaction per request: it ends before the answer is sent, and nothing of it is kept when the request fails."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlmodel import Session


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
