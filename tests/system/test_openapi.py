"""The search service answers as its API document says, whatever it is asked."""

from schemathesis import GenerationMode

from tests.conformance.documented import complaints, in_each_mode
from tests.stack import Stack


@in_each_mode
def test_search_answers_as_documented(stack: Stack, mode: GenerationMode) -> None:
    known = {"name": "offers.offer.published.v1"}
    assert not complaints(stack.url("search"), stack.headers("operator"), mode, **known)
    stack.wait_ready("search")
