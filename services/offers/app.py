"""The offers service: the town's exchanges."""

from pathlib import Path

from libs.httpkit.app import create_app
from libs.selfservice.members.queries import enrich_principal
from libs.selfservice.own import SelfService
from services.offers.api import ROUTERS
from services.offers.consumers import SUBSCRIPTIONS
from services.offers.jobs import JOBS, PREPARATIONS
from services.offers.proposals.commands import PROPOSABLE
from services.offers.providers.queries import locked

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
app.state.selfservice = SelfService(locked, PROPOSABLE)
