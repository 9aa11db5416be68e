"""The issuer's published keys (JWKS), by address or path: read beside the requests, so that none hangs with the issuer."""

import json
import math
import time
from pathlib import Path
from threading import Event, Lock, Thread

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from libs.servicekit.errors import Unavailable

WAIT_SECONDS = 0.5
READ_SECONDS = RETRY_SECONDS = 5.0
# The issuer is away, or what it answers is no key set.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, JoseError, httpx2.HTTPError)

log = structlog.get_logger(__name__)


class IssuerKeys:
    """The newest keys that could be read; an issuer that is away for a while takes nobody's token from them.

    Keys are read by one thread at a time. Who needs them waits until `WAIT_SECONDS` after it began, and not at all
    while the issuer is known to fail and older keys are at hand.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._keys: KeySet | None = None
        self._failing = False
        self._began = -math.inf
        self._lock, self._idle = Lock(), Event()
        self._idle.set()

    def newest(self, max_age: float) -> KeySet:
        """Keys asked for within `max_age` seconds, or what is known instead; Unavailable while nothing is."""
        self._refresh(RETRY_SECONDS if self._failing else max_age)
        if self._keys is None or not self._failing:
            self._idle.wait(max(0, self._began + WAIT_SECONDS - time.monotonic()))
        if self._keys is None:
            raise Unavailable("The issuer's keys")
        return self._keys

    def _refresh(self, max_age: float) -> None:
        with self._lock:
            if not self._idle.is_set() or time.monotonic() - self._began <= max_age:
                return
            self._began = time.monotonic()
            self._idle.clear()
        Thread(target=self._read_anew, name="issuer's keys", daemon=True).start()

    def _read_anew(self) -> None:
        try:
            self._keys, self._failing = _read_keys(self._where), False
        except UNREADABLE as error:
            log.warning("the issuer's keys cannot be read", error=repr(error)[:200])
            self._failing = True
        finally:
            self._idle.set()


def _read_keys(where: str) -> KeySet:
    if where.startswith(("http://", "https://")):
        found = httpx2.get(where, timeout=READ_SECONDS).raise_for_status().json()
    else:
        found = json.loads(Path(where).read_text(encoding="utf-8"))
    return KeySet.import_key_set(found)
