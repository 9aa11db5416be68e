"""Whatever can be written without an account is taken from one client so often and no more: every such route there is."""

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from tests.conformance.access import ANONYMOUS, Route
from tests.conformance.app import App, OfOneService

MOST = 60


class RateLimits(OfOneService):
    """Limits of single operations, without the limit of all requests together."""

    def test_a_write_without_an_account_is_taken_so_often_and_no_more(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app.kit.settings, "rate_limit", "100/second")
        for route in writes_without_an_account(app):
            most = app.access.rates.get(route[1], MOST)
            statuses = [app.ask(route, ANONYMOUS).status_code for _ in range(most + 1)]
            assert 429 not in statuses[:most], f"{route}: too early"
            assert statuses[most] == 429, f"{route} is taken without end"
            known = app.ask(route, "editor").status_code
            assert (known == 429) == (route[1] in app.access.limited_for_all), (
                f"{route}: who has an account is known"
            )

    def test_exceptions_are_routes(self, app: App) -> None:
        assert set(app.access.rates) <= {path for _, path in writes_without_an_account(app)}


def needs_a_role(dependant: Dependant) -> bool:
    """Whether only an access token opens it."""
    return hasattr(dependant.call, "roles") or any(map(needs_a_role, dependant.dependencies))


def writes_without_an_account(app: App) -> list[Route]:
    """The routes that change something for everybody, or for whoever holds a link."""
    return [
        (method, str(route.path))
        for route in iter_route_contexts(app.client.app.routes)  # type: ignore[attr-defined]
        if isinstance(route.original_route, APIRoute) and not needs_a_role(route.dependant)
        if not str(route.path).startswith(app.access.read_by_post or ("-",))
        for method in (route.methods or set()) - {"GET"}
    ]
