"""Secrets as files, made on first use and readable by their owner only; and keys, derived from any long random text."""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def new_secret() -> str:
    """A random text of 64 characters."""
    return secrets.token_urlsafe(48)


def secret(path: Path, make: Callable[[], str] = new_secret) -> str:
    """The content of a file, made once even if two processes try at the same time; OSError where none can be made."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        finished = written(path, make())
        with suppress(FileExistsError):  # somebody was faster
            path.hardlink_to(finished)
        finished.unlink()
    return path.read_text(encoding="utf-8")


def written(path: Path, text: str) -> Path:
    """A finished file beside its final place, readable by its owner only."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def derived_key(text: str, info: bytes, length: int = 32) -> bytes:
    """The same bytes for the same text and use (HKDF, RFC 5869); `info` names the use and never changes."""
    return HKDF(SHA256(), length, salt=None, info=info).derive(text.encode())
