"""What every service does alike. A new one gets all of it by a class of one line, beside its own tests:

    class TestRetail(Conformance, access=ACCESS): ...

`ACCESS` is its authorisation table (`tests/<service>/access.py`). The services run in this process, and nobody answers at
the broker or the search engine: what is decided here is decided before those are asked.
"""

from tests.conformance.access import Access
from tests.conformance.authorisation import Authorisation
from tests.conformance.faults import Faults
from tests.conformance.http import Http
from tests.conformance.privacy import Privacy
from tests.conformance.rate_limits import RateLimits


class Conformance(Authorisation, Http, Faults, Privacy, RateLimits):
    """All of it, for one service."""

    def __init_subclass__(cls, access: Access) -> None:
        cls.access = access
