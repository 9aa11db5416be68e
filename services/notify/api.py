"""The HTTP edges of the service, in the order in which its API document names them."""

from services.notify.addresses import api as addresses
from services.notify.deliveries import api as deliveries
from services.notify.feeds import api as feeds
from services.notify.outcomes import api as outcomes
from services.notify.recipients import api as recipients
from services.notify.recipients import pages
from services.notify.subscriptions import api as subscriptions
from services.notify.texts import api as texts
from services.notify.webhooks import api as webhooks

ROUTERS = [
    recipients.router,
    pages.router,
    feeds.router,
    webhooks.router,
    subscriptions.router,
    subscriptions.pages,
    deliveries.router,
    outcomes.router,
    texts.router,
    addresses.router,
]
