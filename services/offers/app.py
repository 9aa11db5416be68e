"""The offers service: the town's exchanges."""

from pathlib import Path

from libs.httpkit.app import create_app
from services.offers.api import ROUTERS
from services.offers.consumers import EARS
from services.offers.jobs import JOBS
from services.offers import jobs
from services.offers.boards import api as boards
from services.offers.exports import api as exports
from services.offers.funding import api as funding
from services.offers.hsds import api as hsds
from services.offers.imports import api as imports
from services.offers.imports import runner
from services.offers.offers import api as offers
from services.offers.places import api as places
from services.offers.providers import api as providers
from services.offers.sessions import api as sessions

app = create_app(
    "offers",
    title="Coburg Digital: offers",
    migrations=Path(__file__).parent / "migrations",
    routers=ROUTERS,
    ears=EARS,
    jobs=JOBS,
    routers=[
        boards.router,
        providers.router,
        offers.router,
        sessions.router,
        places.router,
        imports.router,
        exports.router,
        hsds.router,
        funding.router,
    ],
    jobs=[jobs.follow_boards, jobs.expire, jobs.watch_budgets, runner.run],
)
