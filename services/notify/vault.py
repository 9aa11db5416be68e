"""How addresses and texts lie in the database: encrypted, with keys that are kept outside of it and can be changed.

A text enters, sealed bytes leave (Fernet: AES-128-CBC with HMAC-SHA-256), and back. Any long random text is a key. An address is recognised by its
mark, a keyed hash, so that nothing needs to be opened to find it.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from libs.servicekit.secret import derived_key


class SealBroken(Exception):  # noqa: N818 - the state of a seal
    """No key that is at hand opens it."""


MIN_KEY_LENGTH = 32


class Vault:
    """`keys` newest first: the first one seals, all of them open. ValueError for a key that is too short."""

    def __init__(self, keys: list[str], mark_key: str) -> None:
        if any(len(key) < MIN_KEY_LENGTH for key in (*keys, mark_key)):
            raise ValueError(f"keys that seal addresses need at least {MIN_KEY_LENGTH} characters")
        self._all = MultiFernet([_derived(key) for key in keys])
        self._mark_key = mark_key.encode()
        self.key_id, *self.older = [hashlib.sha256(key.encode()).hexdigest()[:8] for key in keys]

    def seal(self, text: str) -> bytes:
        """Encrypt with the newest key."""
        return self._all.encrypt(text.encode())

    def open(self, sealed: bytes | str) -> str:
        """Decrypt with whichever key fits; raises SealBroken."""
        try:
            return self._all.decrypt(sealed).decode()
        except InvalidToken:
            raise SealBroken("no key opens it") from None

    def mark(self, address: str) -> str:
        """The same 64 hex digits for the same address, which tell nothing without the key."""
        return hmac.new(self._mark_key, address.encode(), hashlib.sha256).hexdigest()

    def person(self, mark: str) -> str:
        """What other services count an address by: the same for the same mark, which it does not tell."""
        return hmac.new(self._mark_key, f"person {mark}".encode(), hashlib.sha256).hexdigest()[:32]


def _derived(text: str) -> Fernet:
    # So that one line can fill every secret of .env.
    return Fernet(base64.urlsafe_b64encode(derived_key(text, b"coburg addresses")))
