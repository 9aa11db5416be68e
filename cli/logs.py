"""A component's output: line by line into its log file and, prefixed, onto the console.

Whatever happens to the file, the output is read on: a component whose pipe is full would stand still.
"""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.text import Text

from cli.home import Home

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
LIMIT = 16 * 2**20  # bytes of a file until the next one is begun
DISK_FULL = b"no space left on device"


class Log:
    """One component's log; what came before it is kept as <name>.log.1, so there are two files of LIMIT at most.

    `refused` says that the component complained of a full disk.
    """

    def __init__(self, home: Home, name: str, console: Console | None) -> None:
        self.path = home.logs / f"{name}.log"
        self.console = console
        self.prefix = Text(f"{name:<12}│ ", style=COLOURS[sum(name.encode()) % len(COLOURS)])
        self.file: BinaryIO | None = None
        self.size = 0
        self.refused = False
        with suppress(OSError):
            self.begin()

    def begin(self) -> None:
        """A new file."""
        if self.file:
            self.file.close()
            self.file = None
        if self.path.exists():
            self.path.replace(self.path.with_suffix(".log.1"))
        self.file, self.size = self.path.open("ab", buffering=0), 0

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Copies until the stream ends; lines may be of any length."""
        rest = b""
        while chunk := await stream.read(65536):
            self.keep(chunk)
            self.refused |= DISK_FULL in chunk.lower()
            *lines, rest = (rest + chunk).split(b"\n")
            self.show(lines)
        self.show([rest] if rest else [])

    def keep(self, chunk: bytes) -> None:
        """Writes what the disk takes; the rest is lost, and nothing else."""
        with suppress(OSError):
            if self.file is None or self.size > LIMIT:
                self.begin()
            self.size += self.file.write(chunk) if self.file else 0

    def show(self, lines: list[bytes]) -> None:
        """Prints to the console, if there is one."""
        if self.console is None:
            return
        for line in lines:
            text = Text.from_ansi(line.decode(errors="replace"))
            with suppress(OSError):
                self.console.print(self.prefix + text, soft_wrap=True)

    def tail(self, lines: int = 12) -> str:
        """The last lines, for error messages."""
        return "\n".join(read(self.path).splitlines()[-lines:])


def read(path: Path) -> str:
    """What a log says; nothing, if it could not even be begun."""
    with suppress(OSError):
        return path.read_text(errors="replace")
    return ""
