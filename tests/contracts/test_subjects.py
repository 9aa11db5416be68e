"""Subject patterns, as NATS reads them."""

import pytest

from libs.contracts.subjects import covers, transformed

TRANSFORM = ("city.*.*", "state.{{wildcard(2)}}.{{wildcard(1)}}")


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        ("city.a", "city.a", True),
        ("city.a", "city.b", False),
        ("city.a", "city.a.b", False),
        ("city.*", "city.a", True),
        ("city.*", "city.a.b", False),
        ("city.*.b", "city.a.b", True),
        ("city.>", "city.a.b.c", True),
        ("city.>", "city", False),
        ("city.>", "city.*.b", True),
        ("city.>", "city.a.>", True),
        ("city.*", "city.>", False),
        ("city.*.*", "city.a.>", False),
        ("city.a", "city.*", False),
        (">", "dead.search.city", True),
    ],
)
def test_covers(pattern: str, subject: str, expected: bool) -> None:
    assert covers(pattern, subject) is expected


def test_a_transform_moves_what_its_wildcards_caught() -> None:
    assert transformed("city.offers.kita", TRANSFORM) == "state.kita.offers"


def test_a_transform_takes_only_what_it_is_made_for() -> None:
    with pytest.raises(ValueError, match=r"city\.offers is not city"):
        transformed("city.offers", TRANSFORM)
