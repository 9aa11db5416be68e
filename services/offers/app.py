"""The offers service: boards, providers, offers and their sessions, imports, exports."""

from pathlib import Path

from libs.httpkit.app import create_app
from services.offers import jobs
from services.offers.boards import api as boards
from services.offers.exports import api as exports
from services.offers.freshness import api as freshness
from services.offers.freshness import runner as ageing
from services.offers.funding import api as funding
from services.offers.imports import api as imports
from services.offers.imports import runner
from services.offers.offers import api as offers
from services.offers.organisations import api as organisations
from services.offers.places import api as places
from services.offers.providers import api as providers
from services.offers.sessions import api as sessions

PARTS = (boards, providers, offers, sessions, places, imports, exports, funding, freshness, organisations)

app = create_app(
    "offers",
    title="Coburg Digital: offers",
    migrations=Path(__file__).parent / "migrations",
    routers=[part.router for part in PARTS],
    jobs=[jobs.follow_boards, jobs.expire, jobs.watch_budgets, ageing.age, runner.run],
)
