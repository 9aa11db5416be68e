"""API documents: the search service answers as its own says, whatever it is asked, and linters have nothing to say."""

from pathlib import Path

import httpx2
import pytest
from schemathesis import GenerationMode

from cli.components import SERVICES
from tests.conformance import complaints, in_each_mode
from tests.javascript import findings
from tests.stack import Stack


@in_each_mode
def test_search_answers_as_documented(stack: Stack, mode: GenerationMode) -> None:
    known = {"name": "offers.offer.published.v1"}
    assert not complaints(stack.url("search"), stack.headers("operator"), mode, **known)
    stack.wait_ready("search")


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "offers"])
def test_linters_have_nothing_to_say(stack: Stack, service: str, tmp_path: Path) -> None:
    """The documents of offers have more to them: tests/offers/test_clients.py."""
    assert findings(tmp_path, httpx2.get(f"{stack.url(service)}/openapi.json").json()) == []
