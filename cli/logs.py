"""A component's output: line by line into its log file and, prefixed, onto the console."""

import asyncio

from rich.console import Console
from rich.text import Text

from cli.home import Home

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


class Log:
    """One component's log; the one of the last run is kept as <name>.log.1."""

    def __init__(self, home: Home, name: str, console: Console | None) -> None:
        self.path = home.logs / f"{name}.log"
        self.console = console
        self.prefix = Text(f"{name:<12}│ ", style=COLOURS[sum(name.encode()) % len(COLOURS)])
        if self.path.exists():
            self.path.replace(self.path.with_suffix(".log.1"))
        self.file = self.path.open("ab", buffering=0)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Copies until the stream ends; lines may be of any length."""
        rest = b""
        while chunk := await stream.read(65536):
            self.file.write(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            self.show(lines)
        self.show([rest] if rest else [])

    def show(self, lines: list[bytes]) -> None:
        """Prints to the console, if there is one."""
        for line in lines if self.console else ():
            self.console.print(self.prefix + Text.from_ansi(line.decode(errors="replace")), soft_wrap=True)  # type: ignore[union-attr]

    def tail(self, lines: int = 12) -> str:
        """The last lines, for error messages."""
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-lines:])
