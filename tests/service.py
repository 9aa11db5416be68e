"""A running service as its callers and its listeners see it: requests, facts, messages, imports."""

import asyncio
import json
from typing import Any, ClassVar

import httpx2
import nats
from nats.js.api import AckPolicy, ConsumerConfig
from sqlalchemy import func, select

from libs.servicekit.db import Database
from libs.servicekit.tables import outbox
from tests.stack import Stack
from tests.waiting import until


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer, which must be one of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    return body


class Service:
    """The running service, its database and its facts."""

    name: ClassVar[str]

    def __init__(self, stack: Stack, db: Database) -> None:
        self.stack, self.db = stack, db
        self.http = httpx2.Client(base_url=stack.url(self.name), timeout=30)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *roles: str,
        providers: tuple[str, ...] = (),
        version: int | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """One request; nobody asks unless a role is named."""
        headers = self.stack.headers(*roles, providers=providers) if roles else {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        content = {} if body is None else {"json": body}
        return self.http.request(method, path, headers=headers | more.pop("headers", {}), **content, **more)

    def finished(self, location: str) -> dict[str, Any]:
        """An import that has come to its end."""

        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call("GET", location, None, "editor").json()
            return found if found["status"] in ("done", "failed") else None

        found = until(over, 60)
        assert found is not None
        return found

    def report(self, import_id: str) -> list[dict[str, Any]]:
        """The whole report of an import."""
        found, after = list[dict[str, Any]](), "0"
        while after:
            path = f"/v1/imports/{import_id}/report?limit=200&after={after}"
            page = self.call("GET", path, None, "editor").json()
            found += page["items"]
            after = page["next"] or ""
        return found

    def relayed(self) -> None:
        """Wait until every fact that was committed is on the bus."""

        def none_left() -> bool:
            with self.db.reading() as session:
                waiting = select(func.count()).select_from(outbox).where(outbox.c.sent_at.is_(None))
                return int(session.execute(waiting).scalar_one()) == 0

        until(none_left, 30)

    def facts(self, thing: str = "*", kind: str = "*") -> list[dict[str, Any]]:
        """The facts about a thing, oldest first."""
        self.relayed()
        return asyncio.run(facts(self.stack.url("nats"), f"city.{self.name}.{kind}.*.*.{thing}"))

    def asked(self, recipient: str) -> list[dict[str, Any]]:
        """The messages that were asked for, for one recipient, oldest first."""
        self.relayed()
        subject = "internal.notify.message.requested.v1.>"
        found = asyncio.run(facts(self.stack.url("nats"), subject, "INTERNAL"))
        return [fact["data"] for fact in found if fact["data"]["recipient_id"] == recipient]

    def told(self, thing: str) -> list[tuple[str, int]]:
        """The facts about a thing as names and versions."""
        return [(fact["type"].split(".")[-2], int(fact["sequence"])) for fact in self.facts(thing)]


async def facts(url: str, pattern: str, stream: str = "CITY") -> list[dict[str, Any]]:
    """Every fact in a stream that a subject pattern covers."""
    client = await nats.connect(url)
    js = client.jetstream()
    state = (await js.stream_info(stream, subjects_filter=pattern)).state
    left = sum((state.subjects or {}).values())
    found: list[dict[str, Any]] = []
    if left:
        config = ConsumerConfig(ack_policy=AckPolicy.NONE)
        subscription = await js.pull_subscribe(pattern, stream=stream, config=config)
        while len(found) < left:
            batch = min(left - len(found), 500)
            found += [json.loads(message.data) for message in await subscription.fetch(batch, 5)]
    await client.close()
    return found
