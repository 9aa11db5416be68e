"""Keeps one component running: start, wait until ready, restart with growing pauses, stop."""

import asyncio
import signal
import time
from collections.abc import Callable

from cli import readiness, state
from cli.components import Component, launch
from cli.errors import Trouble
from cli.logs import Log
from cli.processes import Process

POLL = 0.05
PATIENCE = 60.0  # seconds until a component that is not ready counts as failed at the first start
GRACE = 10.0  # seconds between asking a component to stop and insisting
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY = 60.0  # seconds of life after which the pauses start anew


class Keeper:
    """The life of one component; `changed` is called whenever `record` did."""

    def __init__(self, component: Component, log: Log, changed: Callable[[], None]) -> None:
        self.component = component
        self.log = log
        self.changed = changed
        self.record = state.Running(component.url, component.probe, component.port)
        self.child: asyncio.subprocess.Process | None = None
        self.follower: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the component is ready; raises Trouble if it ends or takes too long."""
        await self.spawn()
        if not await self.ready_within(PATIENCE):
            raise Trouble(await self.failure())

    async def keep(self) -> None:
        """Starts the component again and again, whenever it ends."""
        failures = 0
        while True:
            await self.until_ended()
            failures = 0 if time.time() - self.record.since > STEADY else failures
            self.note(state.RESTARTING)
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1
            self.record.restarts += 1
            try:
                await self.spawn()
            except OSError:  # no room for so much as a process: the next pause is longer
                continue
            await self.ready_within(None)  # its next end is noticed above

    async def recover(self) -> None:
        """Ends a component that ran into a full disk and goes on refusing after it: `keep` starts it again."""
        if self.component.shy_of_disk and self.log.refused and self.record.process:
            self.log.refused = False
            self.record.process.signal_group(signal.SIGTERM)

    async def stop(self) -> None:
        """Asks the process group to end, insists after a while."""
        if self.child is None or self.record.process is None:
            return
        self.record.process.signal_group(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.child.wait(), GRACE)
        except TimeoutError:
            self.record.process.signal_group(signal.SIGKILL)
            await self.child.wait()
        if self.follower:
            await self.follower

    async def spawn(self) -> None:
        """Starts the process, unless the component is external."""
        if not self.component.command:
            return
        options = launch(self.component)
        self.child = await asyncio.create_subprocess_exec(
            *options.pop("args"), stdout=asyncio.subprocess.PIPE, **options
        )
        self.record.process, self.record.since = Process.of(self.child.pid), time.time()
        self.changed()
        if self.child.stdout:
            self.follower = asyncio.create_task(self.log.follow(self.child.stdout))

    async def until_ready(self) -> None:
        """Asks until the component says yes."""
        while await asyncio.to_thread(readiness.problem, self.component.probe):  # noqa: ASYNC110
            await asyncio.sleep(POLL)
        self.note(state.READY)

    async def until_ended(self) -> int:
        """The exit code; an external component never ends for us."""
        return await (self.child.wait() if self.child else asyncio.Future())

    async def ready_within(self, seconds: float | None) -> bool:
        """Waits until the component is ready, ends or time is up."""
        ready, ended = asyncio.ensure_future(self.until_ready()), asyncio.ensure_future(self.until_ended())
        try:
            await asyncio.wait({ready, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return ready.done()
        finally:
            ready.cancel()
            ended.cancel()

    async def failure(self) -> str:
        """Why the component is not ready, with the last lines of its log."""
        name = self.component.name
        if self.child and self.child.returncode is not None:
            if self.follower:
                await asyncio.wait({self.follower}, timeout=1.0)  # its last words
            reason = f"{name} ended with exit code {self.child.returncode} before it was ready"
        else:
            problem = await asyncio.to_thread(readiness.problem, self.component.probe)
            reason = f"{name} at {self.component.url} was not ready after {PATIENCE:.0f} s: {problem}"
        return f"{reason}. The end of {self.log.path}:\n{self.log.tail()}"

    def note(self, phase: str) -> None:
        """Records a new phase."""
        self.record.phase = phase
        self.changed()
