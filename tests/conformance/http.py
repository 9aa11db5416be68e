"""HTTP as every service speaks it: health while everything else is away, problems, headers, its own API document."""

from pathlib import Path

from tests.conformance.access import EVERYBODY
from tests.conformance.app import App, OfOneService
from tests.javascript import findings
from tests.servicekit.conftest import problem

MOST_LETTERS = 40


class Http(OfOneService):
    """What a front end may rely on, whichever service it asks."""

    def test_it_lives_and_says_what_is_missing(self, app: App) -> None:
        assert app.client.get("/health/live").json() == {
            "status": "ok",
            "service": app.access.service,
            "warnings": [],
        }
        if app.kit.connection:
            assert "broker" in problem(app.client.get("/health/ready"), 503)["detail"]
        assert "tasks" in app.client.get("/metrics").text

    def test_what_cannot_be_answered_is_a_problem_with_a_code(self, app: App) -> None:
        assert problem(app.client.get("/nowhere"), 404)["code"] == "not-found"
        assert problem(app.client.delete("/health/live"), 405)["code"] == "method-not-allowed"
        large = b" " * (app.kit.settings.max_body_bytes + 1)
        posts = [route for route, callers in app.access.routes.items() if route[0] == "POST"]
        for route in [route for route in posts if app.access.routes[route] == EVERYBODY]:
            answer = app.ask(route, "editor", json=None, content=large)
            assert answer.status_code in (413, 415, 422), f"{route}: {answer.status_code}"
        german = app.client.get("/nowhere", headers={"Accept-Language": "de"})
        assert problem(german, 404)["title"] != problem(app.client.get("/nowhere"), 404)["title"]

    def test_no_browser_guesses_and_no_cache_keeps_what_is_personal(self, app: App) -> None:
        for path in ("/health/live", "/v1/events", "/nowhere"):
            headers = app.client.get(path, headers={"Link-Token": "x"}).headers
            assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")

    def test_the_schemas_of_its_events_are_there(self, app: App) -> None:
        for name in app.client.get("/v1/events").json():
            assert app.client.get(f"/v1/events/{name}").json()["properties"]

    def test_linters_have_nothing_to_say_about_its_document(self, app: App, tmp_path: Path) -> None:
        assert findings(tmp_path, app.client.get("/openapi.json").json()) == []

    def test_operations_have_short_names_of_their_own(self, app: App) -> None:
        paths = app.client.get("/openapi.json").json()["paths"]
        names = [one["operationId"] for methods in paths.values() for one in methods.values()]
        assert len(set(names)) == len(names)
        assert [name for name in names if len(name) > MOST_LETTERS] == []
