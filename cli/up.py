"""`coburg up`: gets what is missing, then runs the supervisor here or in the background."""

import os
import shutil
import signal
import subprocess
import sys
import time

from rich.console import Console

from cli import components, meilisearch, node, state
from cli.errors import Trouble
from cli.home import ROOT, Home
from cli.supervisor import supervise

ON_THE_QUICK = ("--omit=dev", "--fetch-retries=0", "--fetch-timeout=10000")


class Announcer:
    """Prints each component once it is ready."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.monotonic()
        self.phases: dict[str, str] = {}

    def __call__(self, current: state.State) -> None:
        """Prints what became ready since the last call."""
        for name, component in current.components.items():
            if component.phase != self.phases.get(name):
                self.say(name, component)
            self.phases[name] = component.phase

    def say(self, name: str, component: state.Running) -> None:
        """One line per change worth knowing."""
        after = f"[dim]{time.monotonic() - self.began:4.1f} s[/]"
        if component.phase == state.READY:
            self.console.print(f"[green]✓[/] {name:<12} {component.url}  {after}", highlight=False)
        elif component.phase == state.RESTARTING:
            self.console.print(f"[yellow]↻[/] {name:<12} ended, starts again  {after}", highlight=False)


def up(home: Home, detach: bool, quiet: bool, console: Console) -> int:
    """Brings the stack up; 0 when it is up (or already was), 1 with the reason when it could not be."""
    current = still_running(home)
    if current and not (detach and current.phase == state.STARTING):
        console.print(f"Already up (supervisor {current.supervisor.pid}). ./coburg status says more.")
        return 0
    if not current:
        fetch(home, console)
    if detach:
        return detached(home, console)
    failed = supervise(home, None if quiet else console, Announcer(console))
    return explain(home, os.getpid()) if failed else 0


def still_running(home: Home) -> state.State | None:
    """What runs, once a supervisor that is just stopping has gone."""
    current = state.running(home)
    if current and current.phase == state.STOPPING:
        current.supervisor.gone_within(30)
        return state.running(home)
    return current


def fetch(home: Home, console: Console) -> None:
    """The two things that pip does not bring: Meilisearch, and the assets of the /docs pages."""
    if "COBURG_MEILISEARCH_URL" not in home.environ:
        with console.status("Looking for Meilisearch (fetched once) …"):
            meilisearch.ensure(home)
    if not (ROOT / "node_modules" / "swagger-ui-dist").is_dir() and shutil.which("npm"):
        with console.status("Fetching the assets of the API pages (once) …"):
            fetch_api_pages(console)


def fetch_api_pages(console: Console) -> None:
    """Their lack keeps nothing from running."""
    try:
        node.install(ROOT, *ON_THE_QUICK)
    except Trouble as trouble:
        console.print(f"[yellow]The /docs pages will be missing:[/] {trouble.problem}")


def detached(home: Home, console: Console) -> int:
    """Starts a supervisor of its own session and watches it until all is ready."""
    home.logs.mkdir(parents=True, exist_ok=True)
    with (home.logs / "supervisor.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli.supervisor"],
            cwd=ROOT,
            env={**home.environ, "COBURG_HOME": str(home.folder), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with console.status("Starting …"):
            return watch(home, child, Announcer(console))
    except KeyboardInterrupt:
        child.terminate()
        raise


def watch(home: Home, child: "subprocess.Popen[bytes]", announcer: Announcer) -> int:
    """Follows the state file until the stack is ready or has failed."""
    while True:
        over = child.poll() is not None
        current = state.running(home)
        if current:
            announcer(current)
            if current.phase == state.READY:
                seconds = time.monotonic() - announcer.began
                announcer.console.print(
                    f"Ready after {seconds:.1f} s. [dim]./coburg status · ./coburg down[/]"
                )
                return 0
        elif over:
            return explain(home, child.pid)
        time.sleep(0.05)


def explain(home: Home, pid: int) -> int:
    """Raises the reason for which the supervisor gave up."""
    current = state.load(home)
    if current and current.phase == state.FAILED and current.supervisor.pid == pid:
        raise Trouble(current.reason)
    output = (home.logs / "supervisor.log").read_text(errors="replace").strip()
    raise Trouble(f"The supervisor ended unexpectedly.\n{output[-2000:]}")


def down(home: Home, console: Console) -> int:
    """Stops the stack, and whatever a killed supervisor left behind; fine if there is nothing to stop."""
    current = state.running(home)
    if current:
        with console.status("Stopping …"):
            os.kill(current.supervisor.pid, signal.SIGTERM)
            if not current.supervisor.gone_within(30):
                os.kill(current.supervisor.pid, signal.SIGKILL)
    left = state.reap(home)
    home.state.unlink(missing_ok=True)
    console.print("Stopped." if current or left else "Nothing was running.")
    return 0


def provision(home: Home) -> int:
    """Declares streams and consumers now; what it says goes to the terminal."""
    return subprocess.run(check=False, **components.launch(components.provision(home))).returncode
