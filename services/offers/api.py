"""The HTTP edges of the service, in the order in which its API document names them."""

from libs.imports import api as import_reports
from libs.selfservice.members import api as members
from libs.selfservice.proposals import api as proposals
from services.offers.allocation import api as allocation
from services.offers.blueprints import api as blueprints
from services.offers.boards import api as boards
from services.offers.bookings import api as bookings
from services.offers.contact import api as contact
from services.offers.exports import api as exports
from services.offers.freshness import api as freshness
from services.offers.funding import api as funding
from services.offers.hsds import api as hsds
from services.offers.imports import api as imports
from services.offers.needs import api as needs
from services.offers.offers import api as offers
from services.offers.places import api as places
from services.offers.proposals import api as own_proposals
from services.offers.providers import api as providers
from services.offers.sessions import api as sessions
from services.offers.slots import api as slots

ROUTERS = [
    boards.router,
    blueprints.router,
    providers.router,
    offers.router,
    sessions.router,
    places.router,
    slots.router,
    bookings.router,
    imports.router,
    import_reports.router,
    exports.router,
    hsds.router,
    funding.router,
    freshness.router,
    members.router,
    own_proposals.router,
    proposals.router,
    contact.router,
    needs.router,
    allocation.router,
]
