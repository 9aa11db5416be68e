"""What the HTTP edges of notify share: the vault, ids in paths, and the small pages that mails link to."""

from html import escape
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from libs.contracts.event import UUID7
from libs.servicekit.values import CleanStr
from services.notify.config import vault_of
from services.notify.vault import Vault

# Nothing of a page that a personal link opened is kept or told to others.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
# The page that says so, for API documents.
GONE_PAGE: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is nothing, or nothing any more.", "content": {"text/html": {}}}
}
STYLE = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36em;margin:2em auto;padding:0 1em}button{font:inherit;padding:.6em 1em}:root{color-scheme:light dark}"


def _vault(request: Request) -> Vault:
    return vault_of(request.app.state.kit.settings)


Sealing = Annotated[Vault, Depends(_vault)]
Token = Annotated[CleanStr, Query(max_length=400, description="Of the link in a message.")]
RecipientId = Annotated[str, Path(pattern=UUID7, description="As notify gave it out.")]


def page(
    request: Request, name: str, outcome: str = "", language: str | None = None, status: int = 200
) -> HTMLResponse:
    """A page that asks for one click, or says what came of it; in the reader's language, without JavaScript."""
    lang = language or ("en" if request.headers.get("accept-language", "de")[:2].lower() == "en" else "de")
    words = request.app.state.notify.town.texts.page(lang)
    content = f"<p role=status>{escape(words[outcome])}</p>" if outcome else _question(words, name)
    title = escape(words[f"{name}_title"])
    html = (
        f'<!doctype html><html lang="{lang[:2]}"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<style>{STYLE}</style><main><h1>{title}</h1>{content}</main></html>"
    )
    return HTMLResponse(html, status, PAGE_HEADERS)


def _question(words: dict[str, str], name: str) -> str:
    # Without an address of its own the form goes to the page it stands on, code and token included.
    text, button = escape(words[f"{name}_text"]), escape(words[f"{name}_button"])
    return f'<p>{text}</p><form method="post"><button>{button}</button></form>'
