"""A service whose database, broker and search engine are away: it lives, says so, and refuses in a way that can be tried again."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from tests.conformance.access import ANONYMOUS, Access
from tests.conformance.app import App, running
from tests.servicekit.conftest import problem

NOBODY = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


class Faults:
    """What is away is named, and no request fails for it as if that were a bug."""

    access: ClassVar[Access]

    @pytest.fixture(scope="class")
    def alone(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
        """The service, while nothing that it needs is there."""
        folder = tmp_path_factory.mktemp(f"{self.access.service}-alone")
        with running(self.access, folder, database_url=NOBODY) as app:
            yield app

    def test_it_lives_and_names_what_is_away(self, alone: App) -> None:
        assert alone.client.get("/health/live").status_code == 200
        told = problem(alone.client.get("/health/ready"), 503)
        assert ("database" in told["detail"]) == (alone.kit.db is not None)

    def test_nothing_fails_for_it(self, alone: App) -> None:
        wrong = {}
        for route, callers in alone.access.routes.items():
            caller = next((one for one in ("editor", "operator") if one in callers), ANONYMOUS)
            answer = alone.ask(route, caller)
            if answer.status_code == 503 and not answer.headers.get("Retry-After"):
                wrong[route] = "503 without Retry-After"
            elif answer.status_code == 500:
                wrong[route] = answer.text[:200]
        assert not wrong
