"""The search service: an index of everything that carries a card, and the questions asked of it."""

from fastapi import FastAPI

from libs.contracts.topology import SEARCH
from libs.httpkit.app import create_app
from libs.servicekit.settings import Settings
from services.search import api
from services.search.config import SearchSettings
from services.search.failures import Unavailable
from services.search.service import Search


def create() -> FastAPI:
    """Assemble the service from the environment."""
    settings = Settings.load("search")
    search = Search(SearchSettings(), settings)
    app = create_app(
        "search",
        title="Coburg Digital: search",
        routers=[api.router, api.browsers],
        listeners=[SEARCH] if search.indexing else [],
        jobs=[search.unanswered.keep_telling, *([search.keep_current] if search.indexing else [])],
        checks=[search.missing],
        closers=[search.close],
        settings=settings,
    )
    app.state.search = search
    app.add_exception_handler(Unavailable, api.away)
    return app


app = create()
