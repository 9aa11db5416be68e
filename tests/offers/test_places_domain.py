"""How many places are free: counted or stated, of one thing or of several."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.offers.places.domain import Provision, as_of, free, together

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("maximum", "taken", "stated", "left"),
    [(10, 3, None, 7), (10, 12, None, 0), (None, 3, None, None), (10, 3, 2, 2), (None, 0, 0, 0)],
)
def test_what_is_free(maximum: int | None, taken: int, stated: int | None, left: int | None) -> None:
    assert free(maximum, taken, stated) == left


@pytest.mark.parametrize(
    ("parts", "whole"), [([3, 4], 7), ([0], 0), ([3, None], None), ([], None), ([900_000] * 2, 1_000_000)]
)
def test_dates_together(parts: list[int | None], whole: int | None) -> None:
    assert together(parts) == whole


@pytest.mark.parametrize("said", [{}, {"max": 3, "free": 4}, {"max": 3, "as_of": NOW}, {"free": -1}])
def test_a_provision_that_contradicts_itself(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Provision.model_validate(said)


def test_nothing_is_true_as_of_tomorrow() -> None:
    assert as_of(Provision(free=1, as_of=NOW + timedelta(days=1)), NOW) == NOW
    assert as_of(Provision(free=1, as_of=NOW - timedelta(days=1)), NOW) == NOW - timedelta(days=1)
    assert as_of(Provision(max=1), NOW) == NOW
