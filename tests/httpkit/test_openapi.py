"""The API document is complete in itself."""

import re
from typing import Any

import pytest

from libs.httpkit.openapi import RESPONSES
from tests.servicekit.conftest import Probe


@pytest.fixture
def document(start: Probe) -> Any:
    return start().get("/openapi.json").json()


def test_what_the_document_refers_to_is_in_it(document: Any) -> None:
    named = set(re.findall(r"#/components/schemas/([A-Za-z_]+)", str(document)))
    assert named <= set(document["components"]["schemas"])
    assert {"default", 422} <= set(RESPONSES)
