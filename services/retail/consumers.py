"""The broker edges of the service."""

from libs.contracts.topology import RETAIL_SHOPS
from libs.servicekit.subscriptions import Subscription
from services.retail.following import follow_shop
from services.retail.sites.consumers import SUBSCRIPTIONS as SITES

SUBSCRIPTIONS = [Subscription(RETAIL_SHOPS, follow_shop), *SITES]
