"""The retail service: the town's shop window."""

from pathlib import Path

from libs.httpkit.app import create_app
from libs.selfservice.own import SelfService
from services.retail.access import enrich_principal
from services.retail.api import ROUTERS
from services.retail.consumers import SUBSCRIPTIONS
from services.retail.jobs import JOBS, PREPARATIONS
from services.retail.shops.commands import PROPOSABLE
from services.retail.shops.queries import locked

app = create_app(
    "retail",
    title="Coburg Digital: retail",
    migrations=Path(__file__).parent / "migrations",
    routers=ROUTERS,
    subscriptions=SUBSCRIPTIONS,
    preparations=PREPARATIONS,
    jobs=JOBS,
    enrich_principal=enrich_principal,
)
app.state.selfservice = SelfService(locked, PROPOSABLE)
