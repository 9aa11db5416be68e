"""A file of lines that never grows beyond a limit: lines enter; what came before lies beside it as `.old`."""

import contextlib
import io
from pathlib import Path


class RotatingFile(io.TextIOBase):
    """Two files of `limit` bytes at most. What a full disk does not take is lost, and nothing else."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._file: io.FileIO | None = None
        self._size = 0
        with contextlib.suppress(OSError):
            self._open()

    def _open(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
        if self._path.exists() and self._path.stat().st_size >= self._limit:
            self._path.replace(self._path.with_suffix(f".old{self._path.suffix}"))
        self._file = self._path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, line: str) -> int:
        """Whole lines; returns how many characters were taken, kept or not."""
        with contextlib.suppress(OSError):
            if self._file is None or self._size >= self._limit:
                self._open()
            if self._file:
                self._size += self._file.write(line.encode())
        return len(line)

    def close(self) -> None:
        """No more lines."""
        if self._file:
            self._file.close()
        super().close()
