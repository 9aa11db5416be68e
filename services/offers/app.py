"""The offers service: the town's exchanges."""

from pathlib import Path

from libs.httpkit.app import create_app
from services.offers.api import ROUTERS
from services.offers.consumers import SUBSCRIPTIONS
from services.offers.jobs import JOBS, PREPARATIONS
from services.offers.organisations.queries import enrich_principal

app = create_app(
    "offers",
    title="Coburg Digital: offers",
    migrations=Path(__file__).parent / "migrations",
    routers=ROUTERS,
    subscriptions=SUBSCRIPTIONS,
    preparations=PREPARATIONS,
    jobs=JOBS,
    enrich_principal=enrich_principal,
    costs={"/v1/exports": 20, "/hsds": 5},  # whole boards in one answer
)
