"""What every service does alike, at the search service."""

from tests.conformance import Conformance
from tests.search.access import ACCESS


class TestSearch(Conformance, access=ACCESS): ...
