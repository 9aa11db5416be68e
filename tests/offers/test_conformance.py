"""What every service does alike, at the offers service."""

from tests.conformance import Conformance
from tests.offers.access import ACCESS


class TestOffers(Conformance, access=ACCESS): ...
