"""What developers ask of a service: /docs from our own host, and the schemas of the events that it publishes."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from libs.contracts import schemas
from libs.contracts.catalogue import INTERNAL, of_service
from libs.servicekit.errors import NotFound

SWAGGER_ASSETS = Path("node_modules/swagger-ui-dist")


def event_reference(service: str) -> APIRouter:
    """The event types of a service and their schemas."""
    router = APIRouter(prefix="/v1/events", tags=["events"])
    types = of_service(service)

    @router.get("")
    def list_event_types() -> list[str]:
        """The event types this service publishes."""
        return list(types)

    @router.get("/{name}", response_model=None)
    def get_event_schema(name: str) -> dict[str, object]:
        """The JSON Schema of one event type: an event's `dataschema`."""
        known = types | INTERNAL  # what it asks of other services has its schema here too
        if name not in known:
            raise NotFound("event type")
        return schemas.schema(known[name])

    return router


def serve_docs(app: FastAPI) -> None:
    """/docs from our own host: no page contacts a public CDN."""
    if not SWAGGER_ASSETS.is_dir():
        return
    app.mount("/assets/swagger-ui", StaticFiles(directory=SWAGGER_ASSETS), name="swagger-ui")

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=app.title,
            swagger_js_url="/assets/swagger-ui/swagger-ui-bundle.js",
            swagger_css_url="/assets/swagger-ui/swagger-ui.css",
            swagger_favicon_url="/assets/swagger-ui/favicon-32x32.png",
        )
