"""What every service does alike, at the notify service."""

from tests.conformance import Conformance
from tests.notify.access import ACCESS


class TestNotify(Conformance, access=ACCESS): ...
