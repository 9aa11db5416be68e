"""The jobs of webhooks: facts from the bus are put on their way, and what is due is posted. One process at a time posts.

Endpoints do not wait for each other: each has its own attempts at once, and one that fails is left alone for a while.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from functools import partial

import structlog
from opentelemetry import trace
from prometheus_client import Counter, Gauge

from libs.servicekit.db import now
from libs.servicekit.kit import Kit
from libs.servicekit.lease import Lease
from libs.telemetry import spans
from services.notify.posting import Attempt, Poster, Result, plain
from services.notify.vault import Vault
from services.notify.webhooks import outcomes, queries
from services.notify.webhooks.domain import TRIPS_AFTER
from services.notify.webhooks.models import HookDelivery, Webhook
from services.notify.webhooks.signing import headers

# So many events of different things in a round, so many of them under way.
ROUND, AT_ONCE = 100, 10
IDLE_SECONDS = 2.0
# How long an endpoint is served before it is asked again whether the lease is still ours; a lease lasts six seconds, a
# round at an endpoint that hangs as long as an attempt may.
SERVED_SECONDS = 1.0

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("notify")
POSTED = Counter("notify_webhook_attempts", "Attempts to post an event", ["outcome"])
HOOKS = Gauge("notify_webhooks", "Endpoints, by whether they are asked now", ["state"])


class Posting:
    """Posts what is due, as long as it holds the lease."""

    def __init__(self, kit: Kit, vault: Vault, poster: Poster) -> None:
        self._db, self._vault, self._poster = kit.database, vault, poster
        self._lease = Lease(kit.database, "notify.webhooks")
        self._busy: dict[str, asyncio.Task[int]] = {}

    async def run(self) -> None:
        """Work until cancelled: woken by each commit that leaves work and each endpoint that is done."""
        self._work = asyncio.Event()
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, self._work.set)
        try:
            with self._db.after_commit(wake):
                while True:
                    self._work.clear()
                    if await asyncio.to_thread(self._lease.hold):
                        await self._begin()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(IDLE_SECONDS):
                            await self._work.wait()
        finally:
            for task in self._busy.values():
                task.cancel()

    async def _begin(self) -> None:
        for hook in await asyncio.to_thread(self._ready):
            if hook.id not in self._busy:
                task = asyncio.create_task(self._serve(hook))
                self._busy[hook.id] = task
                task.add_done_callback(partial(self._done, hook.id))

    def _done(self, hook_id: str, task: asyncio.Task[int]) -> None:
        self._busy.pop(hook_id, None)
        if task.cancelled():
            return
        if error := task.exception():
            log.error("a webhook could not be served", webhook=hook_id, exc_info=error)
        elif task.result():  # whoever got nothing is looked at again after a while only
            self._work.set()

    def _ready(self) -> Sequence[Webhook]:
        with self._db.reading() as session:
            for state, count in queries.states(session, now()).items():
                HOOKS.labels(state).set(count)
            return queries.ready(session, now())

    async def _serve(self, hook: Webhook) -> int:
        """A few attempts at one endpoint, how many; none, and a pause, when something is wrong on our side."""
        try:
            return await self._attempts(hook)
        except Exception as error:
            log.error("webhook left alone", webhook=hook.id, exc_info=error)
            await asyncio.to_thread(self._leave_alone, hook.id)
            return 0

    async def _attempts(self, hook: Webhook) -> int:
        """Round after round while all is well; then others see to it that the lease is still ours."""
        ends, made = asyncio.get_running_loop().time() + SERVED_SECONDS, 0
        due = await asyncio.to_thread(self._due, hook)
        while due:
            results = await self._round(hook, due)
            made += len(results)
            more = asyncio.get_running_loop().time() < ends and all(result.taken for _, result in results)
            due = await asyncio.to_thread(self._note, hook, results, more=more)
        return made

    async def _round(self, hook: Webhook, deliveries: Sequence[HookDelivery]) -> list[tuple[str, Result]]:
        due, keys, results = deque(deliveries), self._keys(hook), list[tuple[str, Result]]()

        async def work() -> None:
            # Once one fails the others of the round wait: they would only hang beside it.
            while due and all(result.taken for _, result in results[-AT_ONCE:]):
                delivery = due.popleft()
                results.append((delivery.id, await self._post(hook, keys, delivery)))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return results

    def _due(self, hook: Webhook) -> Sequence[HookDelivery]:
        """While an endpoint fails, only one."""
        with self._db.reading() as session:
            return queries.next_of(session, hook.id, now(), ROUND if hook.failures < TRIPS_AFTER else 1)

    def _keys(self, hook: Webhook) -> list[str]:
        sealed = [hook.secret]
        if hook.old_secret and hook.old_until and hook.old_until > now():
            sealed.append(hook.old_secret)
        return [self._vault.open(each) for each in sealed]

    async def _post(self, hook: Webhook, keys: Sequence[str], delivery: HookDelivery) -> Result:
        body = delivery.body or b""
        try:
            signed = headers(keys, delivery.event_id, now(), body)
        except ValueError as error:  # one event that cannot be signed keeps no other waiting
            return Result(None, plain(f"cannot be signed: {error}"))
        with tracer.start_as_current_span("post webhook", spans.context_of(delivery.traceparent)):
            result = await self._poster.post(Attempt(hook.url, body, signed))
        POSTED.labels("taken" if result.taken else "failed").inc()
        return result

    def _note(
        self, hook: Webhook, results: Sequence[tuple[str, Result]], *, more: bool
    ) -> Sequence[HookDelivery]:
        """Note a round, and what may go in the next one: nothing once the endpoint was changed meanwhile."""
        with self._db.transaction() as session:
            noted = outcomes.note(session, hook.id, results)
            if not more or noted is None or noted.version != hook.version or noted.status != hook.status:
                return ()
            return queries.next_of(session, hook.id, now(), ROUND)

    def _leave_alone(self, hook_id: str) -> None:
        with self._db.transaction() as session:
            outcomes.leave_alone(session, hook_id)
