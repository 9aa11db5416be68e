"""Who may do what at the notify service."""

from tests.conformance.access import EDITORS, EVERYBODY, NOBODY, OPERATORS, PARTNERS, Access, some_id

TABLE = {
    ("GET", "/v1/recipients/jwks.json"): EVERYBODY,
    ("POST", "/v1/recipients"): EVERYBODY,
    ("GET", "/v1/recipients/{recipient_id}"): NOBODY,
    ("PUT", "/v1/recipients/{recipient_id}"): NOBODY,
    ("DELETE", "/v1/recipients/{recipient_id}"): NOBODY,
    ("GET", "/v1/recipients/{recipient_id}/export"): NOBODY,
    ("POST", "/v1/recipients/{recipient_id}/confirmation"): NOBODY,
    ("POST", "/v1/recipients/{recipient_id}/confirm"): EVERYBODY,
    ("GET", "/pages/confirm/{recipient_id}"): EVERYBODY,
    ("POST", "/pages/confirm/{recipient_id}"): EVERYBODY,
    ("GET", "/pages/leave"): EVERYBODY,
    ("POST", "/pages/leave"): EVERYBODY,
    ("GET", "/v1/subscriptions"): NOBODY,
    ("POST", "/v1/subscriptions"): NOBODY,
    ("GET", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("PUT", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("DELETE", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("GET", "/pages/stop"): EVERYBODY,
    ("POST", "/pages/stop"): EVERYBODY,
    ("GET", "/v1/deliveries"): OPERATORS,
    ("GET", "/v1/push/key"): EVERYBODY,
    ("GET", "/v1/feeds/atom"): EVERYBODY,
    ("GET", "/v1/feeds/calendar.ics"): EVERYBODY,
    ("GET", "/v1/stream"): EVERYBODY,
    ("POST", "/v1/webhooks"): PARTNERS,
    ("GET", "/v1/webhooks"): PARTNERS,
    ("GET", "/v1/webhooks/{webhook_id}"): PARTNERS,
    ("PUT", "/v1/webhooks/{webhook_id}"): PARTNERS,
    ("DELETE", "/v1/webhooks/{webhook_id}"): PARTNERS,
    ("POST", "/v1/webhooks/{webhook_id}/secret"): PARTNERS,
    ("POST", "/v1/webhooks/{webhook_id}/test"): PARTNERS,
    ("GET", "/v1/webhooks/{webhook_id}/deliveries"): PARTNERS,
    ("POST", "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): PARTNERS,
    ("POST", "/v1/webhooks/{webhook_id}/replay"): PARTNERS,
    ("GET", "/v1/messages/templates"): EDITORS,
    ("GET", "/v1/messages/templates/{name}/preview"): EDITORS,
    ("GET", "/v1/messages/templates/{name}/preview.html"): EDITORS,
    ("POST", "/v1/mail/reports"): OPERATORS,
}

BY_RECIPIENT = frozenset(
    (method, f"/v1/{things}")
    for things in ("recipients/{recipient_id}", "subscriptions/{subscription_id}")
    for method in ("GET", "PUT", "DELETE")
) | {
    ("GET", "/v1/subscriptions"),
    ("POST", "/v1/subscriptions"),
    ("GET", "/v1/recipients/{recipient_id}/export"),
    ("POST", "/v1/recipients/{recipient_id}/confirmation"),
}

ACCESS = Access(
    "notify",
    TABLE,
    by_link=BY_RECIPIENT,
    bodies={
        "/v1/webhooks": {"url": "nowhere"},
        "/v1/webhooks/{webhook_id}": {"url": "https://example.org/"},
        "/v1/recipients/{recipient_id}": {"language": "de", "timezone": "Europe/Berlin"},
        "/v1/subscriptions": {"recipient_id": some_id(), "filter": {}},
        "/v1/subscriptions/{subscription_id}": {"filter": {}},
    },
    queries={
        "/v1/subscriptions": {"recipient_id": some_id()},
        "/v1/stream": {"limit": "1"},  # refused for that alone: an open stream does not end
    },
    rates={
        # Each of these may make somebody else get a mail.
        "/v1/recipients": 20,
        "/v1/recipients/{recipient_id}/confirm": 30,
        "/v1/recipients/{recipient_id}/confirmation": 10,
        "/v1/subscriptions": 120,  # in an hour
    },
)
