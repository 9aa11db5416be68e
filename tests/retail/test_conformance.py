"""What every service does alike, at the retail service."""

from tests.conformance import Conformance
from tests.retail.access import ACCESS


class TestRetail(Conformance, access=ACCESS): ...
