"""The broker edge of the service."""

from libs.contracts.topology import RETAIL_SHOPS
from libs.servicekit.subscriptions import Subscription
from services.retail.following import follow

SUBSCRIPTIONS = [Subscription(RETAIL_SHOPS, follow)]
