"""Where a stack lives: its folder COBURG_HOME, its ports, the environment it was called with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.errors import Trouble

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Home:
    """Paths and ports of one stack; two homes with two port bases run side by side."""

    folder: Path
    environ: Mapping[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Home":
        """Reads COBURG_HOME; the default is .local beside the code, wherever the caller stands."""
        folder = environ.get("COBURG_HOME")
        return cls(Path(folder).absolute() if folder else ROOT / ".local", environ)

    @classmethod
    def current(cls) -> "Home":
        """The home of this process."""
        return cls.of(os.environ)

    def port(self, offset: int, default: int) -> int:
        """COBURG_PORT_BASE + offset, or the well-known default."""
        base = self.environ.get("COBURG_PORT_BASE", "")
        if not base:
            return default
        if not base.isdigit() or not 1024 <= int(base) <= 65000:
            raise Trouble(
                f"COBURG_PORT_BASE is {base!r}.", "Set it to a number from 1024 to 65000, such as 8100."
            )
        return int(base) + offset

    @property
    def keys(self) -> Path:
        """Signing key, public key set, Meilisearch master key."""
        return self.folder / "keys"

    @property
    def logs(self) -> Path:
        """One log file per component, and the one before it as .log.1."""
        return self.folder / "logs"

    @property
    def traces(self) -> Path:
        """OTLP JSON lines, one file per service."""
        return Path(self.environ.get("COBURG_TRACES") or self.folder / "traces").absolute()

    @property
    def state(self) -> Path:
        """What runs: written by the supervisor, read by every other command."""
        return self.folder / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the one supervisor of this home."""
        return self.folder / "supervisor.lock"
