"""Is there room left where a service writes? A folder enters, what is missing leaves."""

import shutil
from pathlib import Path

from prometheus_client import Gauge

# Below this nothing that writes is to be relied on: SQLite, NATS and Meilisearch each want some megabytes at once.
LEAST_FREE_BYTES = 16 * 1024 * 1024

FREE = Gauge("disk_free_bytes", "Room left on the disk that COBURG_HOME lies on")


def free(folder: Path) -> int:
    """Bytes left to us on the disk of a folder, or of the nearest one above it that exists."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def shortage(folder: Path) -> str | None:
    """What is wrong with the disk, if anything."""
    left = free(folder.absolute())
    FREE.set(left)
    if left >= LEAST_FREE_BYTES:
        return None
    return f"room on the disk ({left // 2**20} MiB left)"
