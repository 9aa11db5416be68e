"""Every route of a service × every kind of caller. A route that is not in the table fails here."""

from fastapi.routing import iter_route_contexts

from tests.conformance.access import ANONYMOUS, CALLERS, GONE, LINK, OTHER, Access, Route
from tests.conformance.app import App, OfOneService

# What is not in the API document is only what shows the document.
UNLISTED = {"/openapi.json", "/docs", "/assets/swagger-ui"}
DOCUMENTS = ("/", "/openapi.json")


class Authorisation(OfOneService):
    """Who is let in; everybody else gets 401 without a token and 403 with one."""

    def test_the_table_names_every_route_and_no_other(self, app: App) -> None:
        assert app.routes == set(app.access.routes)

    def test_nothing_is_hidden_from_the_table(self, app: App) -> None:
        contexts = iter_route_contexts(app.client.app.routes)  # type: ignore[attr-defined]
        hidden = {str(route.path) for route in contexts if not getattr(route, "include_in_schema", True)}
        assert {path for path in hidden - UNLISTED if not path.endswith(DOCUMENTS)} == set()

    def test_callers_are_let_in_or_not(self, app: App) -> None:
        wrong = {route: found for route in app.access.routes if (found := differences(app, route))}
        assert not wrong

    def test_a_path_outside_the_table_is_nowhere(self, app: App) -> None:
        assert app.client.get("/v1/secrets").status_code == 404


def differences(app: App, route: Route) -> dict[str, str]:
    """Callers who get something else than the table says, and what."""
    found = {}
    for caller in (*CALLERS, GONE):
        # Whom an organisation let go is somebody else's, whatever the token says.
        expected = expectation(app.access, route, OTHER if caller == GONE else caller)
        status = app.ask(route, caller).status_code
        if (got := outcome(app.access, route, status)) != expected:
            found[caller] = f"{got} ({status}) instead of {expected}"
    return found


def expectation(access: Access, route: Route, caller: str) -> str:
    """What the table says of a caller."""
    if caller in access.routes[route]:
        return "allowed"
    if route in access.hidden:
        return "404"
    return "401" if caller in (ANONYMOUS, LINK) or route in access.by_link else "403"


def outcome(access: Access, route: Route, status: int) -> str:
    """A status as the table speaks of it; a failing service has not decided anything."""
    if status == 500:
        return "failed"
    refused = {401, 403, 404} if route in access.hidden else {401, 403}
    return str(status) if status in refused else "allowed"
