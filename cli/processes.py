"""Processes by pid *and* birth, so that a recycled pid is never taken for ours."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process group's leader; `born` tells it from any other process that ever has its pid."""

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> "Process":
        """The process that has this pid now."""
        return cls(pid, birth(pid))

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return bool(self.born) and birth(self.pid) == self.born

    def memory(self) -> int:
        """Resident bytes, 0 when it is gone."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def signal_group(self, number: signal.Signals) -> None:
        """Signals the process and its descendants, if it is still ours."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def end(self, patience: float) -> None:
        """Asks the group to stop, insists after `patience` seconds."""
        self.signal_group(signal.SIGTERM)
        if not self.gone_within(patience):
            self.signal_group(signal.SIGKILL)
            self.gone_within(patience)

    def gone_within(self, seconds: float) -> bool:
        """Waits for the end."""
        deadline = time.monotonic() + seconds
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.alive()


def birth(pid: int) -> str:
    """Boot and clock tick at which a pid's process started; empty if there is none or only its zombie."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The command name in brackets may hold anything; the fields that count follow the last bracket.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else f"{boot}:{fields[19]}"
