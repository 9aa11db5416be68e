"""Idempotency (draft-ietf-httpapi-idempotency-key): a request that is repeated with its key gets its first answer.

The key is claimed, and the answer stored, in the request's own transaction. A link's token in an answer is stored encrypted
with the key that only the caller knows: whoever reads the database opens nothing with it.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from cryptography.fernet import Fernet, InvalidToken
from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import delete, select, update
from sqlmodel import Session

from libs.httpkit.auth import Anyone
from libs.httpkit.problems import Problem
from libs.httpkit.rate_limit import client_of
from libs.httpkit.transactions import Transaction
from libs.servicekit.db import insert_into, now
from libs.servicekit.principal import Principal
from libs.servicekit.secret import derived_key
from libs.servicekit.tables import KEPT, idempotency
from libs.servicekit.values import CleanStr


class Replayed(Exception):  # noqa: N818 - not an error: the answer was already given
    """The request was answered before; carries that answer."""

    def __init__(self, response: Response) -> None:
        self.response = response


# What the token of a signed link is called in every answer.
TOKEN_FIELD = "token"  # noqa: S105 - a name


class IdempotentRequest:
    """The Idempotency-Key of a request: its effect and its answer happen once (draft-ietf-httpapi-idempotency-key)."""

    def __init__(self, session: Session, owner: str, key: str | None, fingerprint: str) -> None:
        self._session, self._key = session, None
        if key:
            self._seal = Fernet(base64.urlsafe_b64encode(derived_key(f"{owner}\n{key}", b"kept answers")))
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
            reason = "The key was used for a different request."
            raise Problem(422, "Idempotency-Key reused", reason, code="idempotency-key-reused")
        body = _with_token(row.body, self._opened)
        raise Replayed(Response(body, row.status, {**row.headers, "Idempotency-Replayed": "true"}))

    def _opened(self, sealed: str) -> str:
        try:
            return self._seal.decrypt(sealed).decode()
        except InvalidToken:  # stored by a release that did not seal
            return sealed

    def answer(
        self, body: BaseModel, status: int, headers: dict[str, str], *, stored: BaseModel | None = None
    ) -> Response:
        """The response, stored for a repetition of the request; `stored` instead of it where it holds a secret."""
        headers = {**headers, "Content-Type": "application/json"}
        content = body.model_dump_json().encode()
        if self._key:
            repeated = stored.model_dump_json().encode() if stored else content
            repeated = _with_token(repeated, lambda token: self._seal.encrypt(token.encode()).decode())
            row: dict[str, Any] = {"status": status, "headers": headers, "body": repeated}
            self._session.execute(update(idempotency).where(idempotency.c.key == self._key).values(row))
        return Response(content, status, headers)


def _with_token(body: bytes, change: Callable[[str], str]) -> bytes:
    """An answer with its token changed; as it is where it has none."""
    content = json.loads(body)
    if not isinstance(content, dict) or not isinstance(content.get(TOKEN_FIELD), str):
        return body
    content[TOKEN_FIELD] = change(content[TOKEN_FIELD])
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


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


def _idempotent(
    session: Transaction,
    owner: Annotated[str, Depends(_owner)],
    fingerprint: Annotated[str, Depends(_fingerprint)],
    key: IdempotencyKey = None,
) -> IdempotentRequest:
    return IdempotentRequest(session, owner, key, fingerprint)


Idempotency = Annotated[IdempotentRequest, Depends(_idempotent)]
