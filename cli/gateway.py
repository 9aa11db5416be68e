"""Talks to a service of the stack over HTTP, as an operator or editor; answers or Trouble, nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from cli.components import service_url
from cli.errors import Trouble
from cli.home import Home
from cli.keys import token


class Gateway:
    """One service, with a token that lasts as long as a long import may take."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of a GET."""
        return self.ask("GET", path, params=query).json()

    def every(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        after = ""
        while True:
            page = self.get(path, limit=200, after=after, **query)
            yield from page["items"]
            if page["next"] is None:
                return
            after = page["next"]

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The answer, if it is a good one."""
        try:
            answer = self.client.request(method, path, **options)
        except httpx2.HTTPError as error:
            address = self.client.base_url
            raise Trouble(f"{address} does not answer: {error}", "Is the stack up? ./coburg status") from None
        if answer.is_error:
            raise Trouble(refusal(answer), remedy(answer.status_code))
        return answer


@contextmanager
def gateway(home: Home, service: str, url: str | None, role: str) -> Iterator[Gateway]:
    """A service of this stack, or the one at `url`; COBURG_TOKEN goes before a token of our own."""
    bearer = os.environ.get("COBURG_TOKEN") or token(home, [role], hours=2, subject="coburg-cli")
    with httpx2.Client(
        base_url=url or service_url(home, service),
        headers={"Authorization": f"Bearer {bearer}"},
        timeout=httpx2.Timeout(10, read=60, write=60),
        trust_env=False,
    ) as client:
        yield Gateway(client)


def refusal(answer: httpx2.Response) -> str:
    """What a problem document says, in a line."""
    try:
        problem = answer.json()
        parts = [problem.get("detail") or problem.get("title") or ""]
        parts += [f"{each['field']}: {each['reason']}" for each in problem.get("errors") or []]
    except (ValueError, AttributeError, KeyError, TypeError):
        parts = [answer.text[:200]]
    return f"{answer.request.method} {answer.request.url.path} was refused with {answer.status_code}: {'; '.join(parts)}"


def remedy(status: int) -> str:
    """What to do about it."""
    if status == 401:
        return "For a stack other than this home's own, set COBURG_TOKEN to an access token of its identity provider."
    return "The token in COBURG_TOKEN lacks the role for this." if status == 403 else ""
