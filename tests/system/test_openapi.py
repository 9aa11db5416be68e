"""The search service answers as its API document says, whatever it is asked."""

from tests.conformance import complaints
from tests.stack import Stack


def test_search_answers_as_documented(stack: Stack) -> None:
    known = {"name": "offers.offer.published.v1"}
    assert not complaints(stack.url("search"), stack.headers("operator"), **known)
    stack.wait_ready("search")
