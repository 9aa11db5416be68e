"""Rules of webhooks: patterns, pauses, and where an address may lead."""

import asyncio
import threading
from datetime import timedelta

import pytest

from libs.servicekit.secret import derived_key
from services.notify.names import Names
from services.notify.posting import Attempt, Poster, plain
from services.notify.targets import Refused, checked, resolve
from services.notify.webhooks.domain import (
    GIVE_UP_AFTER,
    LONGEST_BREAKER_PAUSE,
    PAUSES,
    TRIPS_AFTER,
    asks_for,
    breaker_pause,
    pause,
)

OFFER = "offers.offer.published.v1"


@pytest.mark.parametrize(
    ("patterns", "answer"),
    [
        (["*"], True),
        (["offers.*"], True),
        (["offers.offer.*"], True),
        ([OFFER], True),
        (["retail.*"], False),
        (["offers.provider.*"], False),
        (["offers.offer.published.v2"], False),
        (["retail.*", "offers.*"], True),
    ],
)
def test_which_facts_an_endpoint_asks_for(patterns: list[str], answer: bool) -> None:
    assert asks_for(patterns, OFFER) is answer


def test_it_is_tried_again_over_three_days_at_growing_pauses() -> None:
    pauses = [pause(attempts) for attempts in range(1, 30)]
    assert pauses == sorted(pauses)
    assert sum(PAUSES, timedelta()) > timedelta(days=1)
    assert timedelta(days=3) == GIVE_UP_AFTER


def test_an_endpoint_that_fails_is_left_alone_longer_and_longer() -> None:
    assert breaker_pause(TRIPS_AFTER - 1) == timedelta()
    alone = [breaker_pause(failures) for failures in range(TRIPS_AFTER, 40)]
    assert alone == sorted(alone)
    assert alone[-1] == LONGEST_BREAKER_PAUSE


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https:///nobody",
        "https://user:secret@example.org/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://224.0.0.1/",
        "https://168.63.129.16/",
        "https://192.0.0.192/",
        "https://192.88.99.1/",
        "https://198.18.0.1/",
        "https://[::7f00:1]/",
        "https://[::808:808]/",
        "https://[::ffff:0:7f00:1]/",
        "https://[64:ff9b:1::a00:1]/",
        "https://[fec0::1]/",
        "https://[5f00::1]/",
        "https://[2001::1]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[2003::5efe:10.0.0.1]/",
        "https://[ff02::1]/",
        "https://[",
        "https://example.org:0/",
        "https://example.org:99999/",
    ],
)
def test_what_is_no_public_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        checked(url, anywhere=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/",
        "https://[2001:4860:4860::8888]/",
        "https://[2003:a:b::1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[64:ff9b::808:808]/",
        "https://[2003::5efe:8.8.8.8]/",
    ],
)
def test_what_is_public_may_be_told(url: str) -> None:
    assert checked(url, anywhere=False)


@pytest.mark.parametrize(
    "url", ["https://localhost/", "https://2130706433/", "https://0x7f.1/", "https://127.1/"]
)
def test_a_name_is_refused_for_the_address_that_it_has_now(url: str) -> None:
    with pytest.raises((Refused, OSError)):
        asyncio.run(resolve(url, anywhere=False))


def test_on_a_machine_of_ones_own_anything_goes() -> None:
    target = asyncio.run(resolve("http://localhost:8080/x", anywhere=True))
    assert target.port == 8080
    assert target.host == "localhost"


@pytest.mark.parametrize(
    "url",
    [
        "http://" + "a" * 70 + ".example/",
        "http://a..b/",
        "http://\udcff.example/",
        "http://localhost\x00/",
        "http://localhost:1/\x01",
        "http://xn--a/",
        "http://[fe80::1%25x]/",
        "nonsense",
    ],
)
def test_posting_never_raises(url: str) -> None:
    async def post() -> None:
        poster = Poster(anywhere=True)
        result = await poster.post(Attempt(url, b"{}", {}))
        await poster.close()
        assert result.status is None
        assert result.detail == plain(result.detail) != ""

    asyncio.run(post())


def test_a_header_that_cannot_be_sent_is_a_result_too() -> None:
    async def post() -> None:
        poster = Poster(anywhere=True)
        result = await poster.post(Attempt("http://127.0.0.1:1/", b"{}", {"x": "ü\udcff"}))
        await poster.close()
        assert result.status is None

    asyncio.run(post())


def test_what_an_endpoint_says_is_kept_as_a_plain_line() -> None:
    assert plain("a\x00b\r\n\tc\x1b[31m \ud800") == "ab c[31m "
    assert len(plain("x" * 1000)) == 200


def test_a_dead_name_server_keeps_nobody_else_waiting() -> None:
    dead, asked = threading.Event(), list[str]()

    def look_up(host: str) -> list[str]:
        asked.append(host)
        if host == "dead.example":
            dead.wait(10)
        return ["192.0.2.1"]

    async def resolve_all() -> None:
        names = Names(look_up, patience=0.2)
        lost = [names.addresses("dead.example") for _ in range(40)]
        found = names.addresses("alive.example")
        *results, alive = await asyncio.gather(*lost, found, return_exceptions=True)
        assert alive == ["192.0.2.1"]
        assert {type(each) for each in results} == {TimeoutError}
        await asyncio.to_thread(str)  # the process' own threads are free

    try:
        asyncio.run(resolve_all())
        assert asked.count("dead.example") == 1
    finally:
        dead.set()


@pytest.mark.parametrize(
    ("info", "length", "expected"),
    [
        (b"coburg addresses", 32, "886ef3b33747d88820296e0191a47f09e2e90ad0f470cf1b1c4e01ed9bc60b4c"),
        (
            b"coburg web push",
            48,
            "9a86830a323728c09b0885572546ffa21336a1f2f3d293d4dbd8b9e1bf69074d4056450b8baf8e5add1ff848f620e6e6",
        ),
        (b"coburg recipients", 32, "909c813851d80040a220c2c6210cb15674b6eefb5ffef66d1995645baa21bb24"),
    ],
)
def test_derived_keys_stay_what_they_are(info: bytes, length: int, expected: str) -> None:
    assert derived_key("k" * 32, info, length).hex() == expected
