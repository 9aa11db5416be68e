"""How often a client may do something: counted for each client and thing, and told when to come back."""

import pytest
from starlette.requests import HTTPConnection

from libs.httpkit.pace import Pace, client_of
from libs.httpkit.problems import status_of
from libs.servicekit.errors import TooMany

pytestmark = pytest.mark.anyio


async def test_each_key_is_counted_for_itself() -> None:
    pace = Pace("2/hour")
    for key in (("ada", "a"), ("ada", "b"), ("eve", "a")):
        await pace.hit(*key)
        await pace.hit(*key)
        with pytest.raises(TooMany) as refusal:
            await pace.hit(*key)
        assert status_of(refusal.value)[0] == 429
        assert 3590 < refusal.value.retry_after <= 3600


async def test_an_empty_limit_is_none() -> None:
    pace = Pace("")
    for _ in range(1000):
        await pace.hit("ada")


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
