"""Whatever can be written without an account is taken from one client so often and no more: every such route there is."""

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from libs.servicekit.kit import Kit
from tests.test_authorisation import ANONYMOUS, Town, town

__all__ = ["town"]

MOST = 60
# HSDS asks for its lists by POST as well.
READ_BY_POST = "/hsds/"
# Others have to read what is written here; ratings have a setting of their own.
OTHERWISE = {
    "/v1/offers/{offer_id}/contact": 5,
    "/v1/feedback": 20,
    # Each of these may make somebody else get a mail.
    "/v1/recipients": 20,
    "/v1/recipients/{recipient_id}/confirm": 30,
    "/v1/recipients/{recipient_id}/confirmation": 10,
    "/v1/subscriptions": 120,  # in an hour
}


@pytest.fixture
def limited(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The services as a town runs them, but for the limit of all requests together."""
    for client in town.clients.values():
        kit: Kit = client.app.state.kit  # type: ignore[attr-defined]
        monkeypatch.setattr(kit.settings, "rate_limit", "100/second")
    return town


def needs_a_role(dependant: Dependant) -> bool:
    """Whether only an access token opens it."""
    return hasattr(dependant.call, "roles") or any(map(needs_a_role, dependant.dependencies))


def writes_without_an_account(town: Town) -> list[tuple[str, str, str]]:
    """The routes that change something for everybody, or for whoever holds a link."""
    return [
        (service, method, str(route.path))
        for service, client in town.clients.items()
        for route in iter_route_contexts(client.app.routes)  # type: ignore[attr-defined]
        if isinstance(route.original_route, APIRoute) and not needs_a_role(route.dependant)
        if not str(route.path).startswith(READ_BY_POST)
        for method in (route.methods or set()) - {"GET"}
    ]


def test_a_write_without_an_account_is_taken_so_often_and_no_more(limited: Town) -> None:
    routes = writes_without_an_account(limited)
    assert len(routes) >= 14
    for route in routes:
        most = OTHERWISE.get(route[2], MOST)
        statuses = [limited.ask(*route, ANONYMOUS) for _ in range(most + 1)]
        assert 429 not in statuses[:most], f"{route}: too early"
        assert statuses[most] == 429, f"{route} is taken without end"
        if route[0] == "offers":
            assert limited.ask(*route, "editor") != 429, f"{route}: who has an account is known"
