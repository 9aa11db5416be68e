"""The one process that starts, watches and stops a stack's components."""

import asyncio
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable

from rich.console import Console

from cli import components, partners, state
from cli.components import Component
from cli.errors import Trouble
from cli.home import Home
from cli.keeper import Keeper
from cli.logs import Log
from cli.processes import Process
from libs.servicekit import disk

LOOK_SECONDS = 2.0
PARTNERS_SECONDS = 60.0


def supervise(home: Home, console: Console | None, announce: Callable[[state.State], None]) -> int:
    """Runs the stack until a signal; exit code 1 when it could not be brought up."""
    home.folder.mkdir(parents=True, exist_ok=True)
    with home.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another supervisor of this home was faster
        state.reap(home)
        return asyncio.run(Supervisor(home, console, announce).run())


class Supervisor:
    """Keepers in layers; every change is written to the state file."""

    def __init__(self, home: Home, console: Console | None, announce: Callable[[state.State], None]) -> None:
        self.home = home
        self.console = console
        self.announce = announce
        self.state = state.State(Process.of(os.getpid()))
        self.layers: list[list[Keeper]] = []
        self.unsaved = False
        self.complaint = ""

    async def run(self) -> int:
        """Up, watch, down."""
        self.stop_on_signals()
        self.changed()
        try:
            await self.bring_up()
            keepers = [keeper for layer in self.layers for keeper in layer]
            await asyncio.gather(
                self.watch_disk(), self.watch_partners(), *(keeper.keep() for keeper in keepers)
            )
        except asyncio.CancelledError:
            pass  # a signal: stop cleanly
        except Trouble as trouble:
            self.state.reason = str(trouble)
        finally:
            await self.bring_down()
        return 1 if self.state.reason else 0

    async def bring_up(self) -> None:
        """Layer after layer; the streams are declared before any service starts."""
        first, *others = components.layers(self.home)
        refuse_taken_ports([component for layer in (first, *others) for component in layer])
        components.prepare(self.home)
        await self.start(first)
        await self.provision()
        await self.settle_partners(every=True)
        for layer in others:
            await self.start(layer)
        self.enter(state.READY)

    async def start(self, layer: list[Component]) -> None:
        """Starts the components of a layer side by side; returns when all are ready."""
        keepers = [Keeper(each, Log(self.home, each.name, self.console), self.changed) for each in layer]
        self.layers.append(keepers)
        self.state.components |= {keeper.component.name: keeper.record for keeper in keepers}
        try:
            async with asyncio.TaskGroup() as group:
                for keeper in keepers:
                    group.create_task(keeper.start())
        except ExceptionGroup as failures:  # `except*` would wrap what is raised in it once more
            raise failures.exceptions[0] from None

    async def provision(self) -> None:
        """Runs the provisioning to its end."""
        options = components.launch(components.provision(self.home))
        child = await asyncio.create_subprocess_exec(
            *options.pop("args"), stdout=asyncio.subprocess.PIPE, **options
        )
        output, _ = await child.communicate()
        if child.returncode:
            raise Trouble(f"The streams could not be declared.\n{output.decode(errors='replace')[-2000:]}")

    async def settle_partners(self, every: bool = False) -> None:
        """Ends partners whose last day has passed; what goes wrong here keeps no town from running."""
        if "COBURG_NATS_URL" in self.home.environ:
            return
        try:
            await asyncio.to_thread(partners.settle, self.home, every)
        except Trouble as trouble:
            if str(trouble) != self.complaint:  # once, so that its own log does not grow while it lasts
                print(f"partners: {trouble}", file=sys.stderr)
            self.complaint = str(trouble)

    async def watch_partners(self) -> None:
        """Looks every minute."""
        while True:
            await asyncio.sleep(PARTNERS_SECONDS)
            await self.settle_partners()

    async def bring_down(self) -> None:
        """The last layer first; a failure's reason stays readable."""
        self.enter(state.STOPPING)
        for layer in reversed(self.layers):
            await asyncio.gather(*(keeper.stop() for keeper in layer))
        self.state.components.clear()
        if self.state.reason:
            self.enter(state.FAILED)
        else:
            self.home.state.unlink(missing_ok=True)

    def stop_on_signals(self) -> None:
        """The first signal stops the stack; further ones do not disturb the stopping."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop() -> None:
            if task and not task.cancelling() and self.state.phase != state.STOPPING:
                task.cancel()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, stop)

    def enter(self, phase: str) -> None:
        """Records the stack's phase."""
        self.state.phase = phase
        self.changed()

    def changed(self) -> None:
        """Writes the state and tells whoever watches; on a full disk it is written later."""
        try:
            self.state.save(self.home)
            self.unsaved = False
        except OSError:
            self.unsaved = True
        self.announce(self.state)

    async def watch_disk(self) -> None:
        """When a full disk is free again: writes what could not be written, and wakes what does not recover by itself."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if disk.free(self.home.folder) < disk.LEAST_FREE_BYTES:
                continue
            if self.unsaved:
                self.changed()
            for keeper in (each for layer in self.layers for each in layer):
                await keeper.recover()


def refuse_taken_ports(wanted: list[Component]) -> None:
    """Better a clear word now than a log line of some component later."""
    for component in wanted:
        if component.command and taken(component.port):
            raise Trouble(
                f"Port {component.port} ({component.name}) is taken by another program.",
                "Stop it, or choose another block of ports: COBURG_PORT_BASE=8100 ./coburg up",
            )


def taken(port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


if __name__ == "__main__":  # what `up --detach` leaves running
    sys.exit(supervise(Home.current(), None, lambda _: None))
