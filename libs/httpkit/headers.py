"""Headers that every answer has: no browser guesses its type, and none keeps what is somebody's own.

Whatever was asked with a token, or changed something, is not stored; what else a cache may keep depends on the tokens.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKENS = ("Authorization", "Link-Token", "Recipient-Token")


class AnswerHeaders:
    """Middleware; what an endpoint says of itself stands."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, answers with their headers."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        asked = Headers(scope=scope)
        personal = scope["method"] not in ("GET", "HEAD", "OPTIONS") or any(name in asked for name in TOKENS)

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.add_vary_header(", ".join(TOKENS))
                if personal:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        return await self._app(scope, receive, pass_on)
