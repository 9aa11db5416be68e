"""What runs, as the supervisor writes it to COBURG_HOME/stack.json and every other command reads it."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from cli.home import Home
from cli.processes import Process

STARTING, READY, RESTARTING, STOPPING, FAILED = "starting", "ready", "restarting", "stopping", "failed"


@dataclass
class Running:
    """One component; `process` is None when it is external or between two starts."""

    url: str
    probe: str
    port: int
    process: Process | None = None
    phase: str = STARTING
    restarts: int = 0
    since: float = field(default_factory=time.time)


@dataclass
class State:
    """The stack; `reason` says why it failed."""

    supervisor: Process
    phase: str = STARTING
    reason: str = ""
    components: dict[str, Running] = field(default_factory=dict)

    def processes(self) -> Iterator[Process]:
        """The components' processes, last started first."""
        return (each.process for each in reversed(self.components.values()) if each.process)

    def save(self, home: Home) -> None:
        """Replaces the file in one step, so that a reader never sees half of it; raises OSError on a full disk."""
        temporary = home.state.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(self), indent=2))
        temporary.replace(home.state)


def load(home: Home) -> State | None:
    """The last written state; None if nothing was ever started or it was stopped cleanly."""
    try:
        raw = json.loads(home.state.read_text())
        components = {
            name: Running(**each | {"process": process(each)}) for name, each in raw["components"].items()
        }
        return State(Process(**raw["supervisor"]), raw["phase"], raw["reason"], components)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def process(component: dict[str, dict[str, int | str] | None]) -> Process | None:
    """The process in a component's raw record."""
    raw = component["process"]
    return Process(int(raw["pid"]), str(raw["born"])) if raw else None


def running(home: Home) -> State | None:
    """The state if its supervisor lives."""
    state = load(home)
    return state if state and state.supervisor.alive() else None


def reap(home: Home, patience: float = 5.0) -> list[str]:
    """Ends what a killed supervisor left behind, and nothing else; returns the names."""
    state = load(home)
    left = (
        [name for name, each in state.components.items() if each.process and each.process.alive()]
        if state
        else []
    )
    for each in state.processes() if state else ():
        each.end(patience)
    return left
