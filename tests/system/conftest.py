"""Whole towns: the same system tests run once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.stack import Stack, new_database
from tests.system.town import Town

# One client plays all people at once, so it is not held to the rate limit of one.
UNLIMITED = {"COBURG_RATE_LIMIT": ""}


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings that put offers on a database of each kind."""
    if request.param == "sqlite":
        yield {}
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        yield {"COBURG_OFFERS_DATABASE_URL": url}


@pytest.fixture(scope="session")
def town(database: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A stack with nothing but its boards; shared, so tests take back what they publish."""
    with Stack(tmp_path_factory.mktemp("town"), **UNLIMITED, **database) as stack:
        town = Town(stack.start())
        yield town
        town.close()


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack in which recipients must prove themselves, as in a real town."""
    settings = {"COBURG_RECIPIENT_PROOF": "required", "COBURG_NOTIFY_CONFIRM_SECONDS": "1"}
    with Stack(tmp_path_factory.mktemp("proven"), **UNLIMITED, **settings) as stack:
        yield stack.start()
