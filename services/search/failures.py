"""What keeps Meilisearch from doing something: it can be tried again later, or never.

`Unavailable` says try again (away, overloaded, misconfigured); `Rejected` says this request or document will never be
taken.
"""

from typing import Any

from libs.servicekit.outages import Transient

# These say something about the server or its configuration, not about what we sent.
NOT_OUR_FAULT = {"index_not_found", "invalid_api_key", "missing_authorization_header", "task_not_found"}
Json = dict[str, Any]


class Unavailable(Transient):
    """The server cannot be reached or cannot answer now; trying again later may help."""


class Missing(Unavailable):
    """The index or task that was asked about does not exist (any more)."""


class Rejected(Exception):  # noqa: N818 - says what it is
    """Meilisearch refuses what was sent, for good; `code` is Meilisearch's own word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}"[:500])
        self.code = code


def failure(error: Json, status: int) -> Exception:
    """What an error of Meilisearch's comes to; `status` is 0 for that of a task."""
    code, message = str(error.get("code")), str(error.get("message"))
    if code in ("index_not_found", "task_not_found"):
        return Missing(message)
    ours = error.get("type") == "invalid_request" or status == 413
    if not ours or code in NOT_OUR_FAULT or status in (401, 403, 408, 429):
        return Unavailable(f"{code}: {message}"[:500])
    return Rejected(code, message)
