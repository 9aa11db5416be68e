"""How often a client may do something: counted for each client and thing, and told when to come back."""

import pytest
from starlette.requests import HTTPConnection

from libs.httpkit.problems import status_of
from libs.httpkit.rate_limit import client_of
from libs.servicekit.errors import TooMany
from libs.servicekit.rate_limit import RateLimit

pytestmark = pytest.mark.anyio


async def test_each_key_is_counted_for_itself() -> None:
    rate_limit = RateLimit("2/hour")
    for key in (("ada", "a"), ("ada", "b"), ("eve", "a")):
        await rate_limit.hit(*key)
        await rate_limit.hit(*key)
        with pytest.raises(TooMany) as refusal:
            await rate_limit.hit(*key)
        assert status_of(refusal.value)[0] == 429
        assert 3590 < refusal.value.retry_after <= 3600


async def test_an_empty_limit_is_none() -> None:
    rate_limit = RateLimit("")
    for _ in range(1000):
        await rate_limit.hit("ada")


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
async def test_a_client_is_an_address_or_a_network(host: str, client: str) -> None:
    assert client_of(HTTPConnection({"type": "http", "client": (host, 1)})) == client


async def test_who_cannot_be_told_apart_is_one_client() -> None:
    assert client_of(HTTPConnection({"type": "http"})) == "unknown"
