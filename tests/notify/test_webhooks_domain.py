"""Rules of webhooks: patterns, pauses, and where an address may lead."""

import asyncio
from datetime import timedelta

import pytest

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
        "https://[",
        "https://example.org:0/",
        "https://example.org:99999/",
    ],
)
def test_what_is_no_public_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        checked(url, anywhere=False)


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
