"""The broker edge of the service."""

from libs.contracts.topology import RETAIL_SHOPS, RETAIL_SITES
from libs.servicekit.subscriptions import Subscription
from services.retail.following import follow_shop, follow_site

SUBSCRIPTIONS = [Subscription(RETAIL_SHOPS, follow_shop), Subscription(RETAIL_SITES, follow_site)]
