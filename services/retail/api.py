"""The HTTP edges of the service, in the order in which its API document names them."""

from libs.imports import api as import_reports
from libs.selfservice.members import api as members
from libs.selfservice.proposals import api as proposals
from services.retail.channels import api as channels
from services.retail.desk import api as desk
from services.retail.imports import api as imports
from services.retail.lunches import api as lunches
from services.retail.pictures import api as pictures
from services.retail.shops import api as shops
from services.retail.stories import api as stories
from services.retail.stories import feeds

ROUTERS = [
    shops.router,
    lunches.router,
    pictures.router,
    stories.router,
    channels.router,
    feeds.router,
    desk.router,
    members.router,
    proposals.router,
    imports.router,
    import_reports.router,
]
