"""Who may do what: every route of every service × every kind of caller. A route that is not in the table fails here.

Requests are made so that whoever is let in changes nothing: a version that nobody has, a body of the wrong type.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib import import_module, reload
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlmodel import Session
from uuid_utils import uuid7

from cli import keys
from cli.home import ROOT, Home
from libs.servicekit.kit import Kit
from libs.servicekit.links import links_of
from libs.servicekit.principal import ROLES, Principal
from services.offers.blueprints.models import Improvement
from services.offers.boards import commands as boards
from services.offers.bookings.models import Booking
from services.offers.contact.models import Conversation, Message
from services.offers.offers import commands as offers
from services.offers.offers.domain import OfferContent
from services.offers.organisations.domain import LEFT, Role
from services.offers.organisations.models import Member
from services.offers.proposals.domain import Kind
from services.offers.proposals.models import Proposal
from services.offers.providers import commands as providers
from services.offers.providers.domain import ProviderContent
from services.offers.sessions.models import OfferSession
from tests.waiting import until

SERVICES = sorted(file.parent.name for file in (ROOT / "services").glob("*/app.py"))

ANONYMOUS, OWN, OTHER = "anonymous", "provider, for this one", "provider, for another"
LINK = "holder of the link of a booking"
MEMBER = "member of this one, by the service's own word"
# Claims combined: a token that names this one without the role, alone and with every role that is let in nowhere more.
UNROLED, PLENTY = "no role, but named for this one", "every other role, and named for this one"
GONE = "provider, named for this one, which let them go"
CALLERS = (ANONYMOUS, *ROLES, OWN, OTHER, MEMBER, LINK, UNROLED, PLENTY)
EVERYBODY = frozenset(CALLERS)
NOBODY = frozenset[str]()
EDITORS, OPERATORS = frozenset({"editor"}), frozenset({"operator"})
PARTNERS = frozenset({"partner", "operator", PLENTY})
OWN_PEOPLE = frozenset({OWN, MEMBER})
WRITERS = EDITORS | OWN_PEOPLE
MANAGERS = EDITORS | {OWN}

# service, method, path → who is let in; everybody else gets 401 without a token and 403 with one.
TABLE = {
    ("offers", "GET", "/v1/boards"): EVERYBODY,
    ("offers", "GET", "/v1/boards/{slug}"): EVERYBODY,
    ("offers", "PUT", "/v1/boards/{slug}"): EDITORS,
    ("offers", "POST", "/v1/boards/{slug}/derive"): EDITORS,
    ("offers", "POST", "/v1/boards/{slug}/withdraw"): EDITORS,
    ("offers", "GET", "/v1/boards/{slug}/lineage"): EVERYBODY,
    ("offers", "GET", "/v1/boards/{slug}/migrations"): EDITORS | OPERATORS,
    ("offers", "GET", "/v1/boards/{slug}/improvements"): EVERYBODY,
    ("offers", "POST", "/v1/boards/{slug}/improvements"): EDITORS,
    ("offers", "POST", "/v1/boards/{slug}/improvements/accept"): EDITORS,
    ("offers", "GET", "/v1/boards/{slug}/improvements/{improvement_id}"): EVERYBODY,
    ("offers", "POST", "/v1/boards/{slug}/improvements/{improvement_id}/accept"): EDITORS,
    ("offers", "POST", "/v1/boards/{slug}/improvements/{improvement_id}/decline"): EDITORS,
    ("offers", "DELETE", "/v1/offers/{offer_id}/flags/{field}"): WRITERS,
    ("offers", "GET", "/v1/providers"): EVERYBODY,
    ("offers", "POST", "/v1/providers"): EDITORS,
    ("offers", "GET", "/v1/providers/{provider_id}"): EVERYBODY,
    ("offers", "PUT", "/v1/providers/{provider_id}"): EDITORS,
    ("offers", "DELETE", "/v1/providers/{provider_id}"): EDITORS,
    ("offers", "GET", "/v1/offers"): EVERYBODY,
    ("offers", "POST", "/v1/offers"): WRITERS,
    ("offers", "GET", "/v1/offers/{offer_id}"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "PUT", "/v1/offers/{offer_id}"): WRITERS,
    ("offers", "POST", "/v1/offers/{offer_id}/submit"): WRITERS,
    ("offers", "POST", "/v1/offers/{offer_id}/publish"): EDITORS,
    ("offers", "POST", "/v1/offers/{offer_id}/withdraw"): WRITERS,
    ("offers", "GET", "/v1/offers/{offer_id}/sessions"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "POST", "/v1/offers/{offer_id}/sessions"): WRITERS,
    ("offers", "POST", "/v1/offers/{offer_id}/series/{series_id}/cancel"): WRITERS,
    ("offers", "GET", "/v1/sessions/{session_id}"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "PUT", "/v1/sessions/{session_id}"): WRITERS,
    ("offers", "POST", "/v1/sessions/{session_id}/move"): WRITERS,
    ("offers", "POST", "/v1/sessions/{session_id}/cancel"): WRITERS,
    ("offers", "GET", "/v1/holidays"): EVERYBODY,
    ("offers", "GET", "/v1/offers/{offer_id}/places"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "PUT", "/v1/offers/{offer_id}/places"): WRITERS,
    ("offers", "POST", "/v1/offers/{offer_id}/check"): WRITERS,
    ("offers", "GET", "/v1/providers/{provider_id}/unchecked"): WRITERS,
    ("offers", "GET", "/v1/providers/{provider_id}/recipients"): WRITERS,
    ("offers", "POST", "/v1/providers/{provider_id}/recipients"): WRITERS,
    ("offers", "DELETE", "/v1/providers/{provider_id}/recipients/{recipient_id}"): WRITERS,
    ("offers", "POST", "/v1/unsubscribe"): NOBODY,
    ("offers", "GET", "/v1/offers/{offer_id}/slots"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "GET", "/v1/offers/{offer_id}/calendar.ics"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "GET", "/v1/sessions/{session_id}/calendar.ics"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "GET", "/v1/offers/{offer_id}/booking"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("offers", "PUT", "/v1/offers/{offer_id}/booking"): WRITERS,
    ("offers", "GET", "/v1/bookings"): EDITORS | {"provider", OWN, MEMBER, OTHER},
    ("offers", "POST", "/v1/bookings"): EVERYBODY,
    ("offers", "GET", "/v1/bookings/{booking_id}"): WRITERS | {LINK},
    ("offers", "PUT", "/v1/bookings/{booking_id}"): frozenset({LINK}),
    ("offers", "DELETE", "/v1/bookings/{booking_id}"): frozenset({LINK}),
    ("offers", "GET", "/v1/bookings/{booking_id}/export"): frozenset({LINK}),
    ("offers", "POST", "/v1/bookings/{booking_id}/accept"): frozenset({LINK}),
    ("offers", "POST", "/v1/bookings/{booking_id}/cancel"): WRITERS | {LINK},
    ("offers", "POST", "/v1/bookings/{booking_id}/approve"): WRITERS,
    ("offers", "POST", "/v1/bookings/{booking_id}/decline"): WRITERS,
    ("offers", "GET", "/v1/providers/{provider_id}/members"): WRITERS,
    ("offers", "PUT", "/v1/providers/{provider_id}/members/{member_id}"): MANAGERS,
    ("offers", "DELETE", "/v1/providers/{provider_id}/members/{member_id}"): MANAGERS,
    ("offers", "GET", "/v1/providers/{provider_id}/invitations"): MANAGERS,
    ("offers", "POST", "/v1/providers/{provider_id}/invitations"): MANAGERS,
    ("offers", "DELETE", "/v1/providers/{provider_id}/invitations/{invitation_id}"): MANAGERS,
    ("offers", "POST", "/v1/invitations/accept"): NOBODY,
    ("offers", "POST", "/v1/offers/{offer_id}/proposals"): WRITERS,
    ("offers", "POST", "/v1/providers/{provider_id}/proposals"): WRITERS,
    ("offers", "GET", "/v1/proposals"): EDITORS | {"provider", OWN, MEMBER, OTHER},
    ("offers", "GET", "/v1/proposals/{proposal_id}"): WRITERS,
    ("offers", "POST", "/v1/proposals/{proposal_id}/release"): EDITORS,
    ("offers", "POST", "/v1/proposals/{proposal_id}/refuse"): EDITORS,
    ("offers", "POST", "/v1/proposals/{proposal_id}/withdraw"): WRITERS,
    ("offers", "POST", "/v1/offers/{offer_id}/contact"): EVERYBODY,
    ("offers", "GET", "/v1/providers/{provider_id}/messages"): OWN_PEOPLE,
    ("offers", "GET", "/v1/conversations/{conversation_id}"): OWN_PEOPLE,
    ("offers", "POST", "/v1/conversations/{conversation_id}/replies"): OWN_PEOPLE,
    ("offers", "DELETE", "/v1/conversations/{conversation_id}"): OWN_PEOPLE,
    ("offers", "POST", "/v1/imports"): EDITORS,
    ("offers", "GET", "/v1/imports/{import_id}"): EDITORS,
    ("offers", "GET", "/v1/imports/{import_id}/report"): EDITORS,
    ("offers", "GET", "/v1/mappings"): EVERYBODY,
    ("offers", "GET", "/v1/boards/{slug}/funding/quote"): EVERYBODY,
    ("offers", "GET", "/v1/boards/{slug}/budgets"): EVERYBODY,
    ("offers", "GET", "/v1/boards/{slug}/budgets/{period}"): EVERYBODY,
    ("offers", "PUT", "/v1/boards/{slug}/budgets/{period}"): EDITORS,
    ("offers", "GET", "/v1/boards/{slug}/budgets/{period}/ledger"): EDITORS,
    ("offers", "GET", "/hsds"): EVERYBODY,
    ("offers", "GET", "/hsds/services"): EVERYBODY,
    ("offers", "POST", "/hsds/services"): EVERYBODY,
    ("offers", "GET", "/hsds/services/{id}"): EVERYBODY,
    ("offers", "GET", "/hsds/service_at_locations"): EVERYBODY,
    ("offers", "POST", "/hsds/service_at_locations"): EVERYBODY,
    ("offers", "GET", "/hsds/service_at_locations/{id}"): EVERYBODY,
    ("offers", "GET", "/hsds/organizations"): EVERYBODY,
    ("offers", "POST", "/hsds/organizations"): EVERYBODY,
    ("offers", "GET", "/hsds/organizations/{id}"): EVERYBODY,
    ("offers", "GET", "/hsds/taxonomies"): EVERYBODY,
    ("offers", "POST", "/hsds/taxonomies"): EVERYBODY,
    ("offers", "GET", "/hsds/taxonomies/{id}"): EVERYBODY,
    ("offers", "GET", "/hsds/taxonomy_terms"): EVERYBODY,
    ("offers", "POST", "/hsds/taxonomy_terms"): EVERYBODY,
    ("offers", "GET", "/hsds/taxonomy_terms/{id}"): EVERYBODY,
    ("offers", "GET", "/v1/exports/offers.{form}"): EVERYBODY,
    ("offers", "GET", "/v1/exports/providers.{form}"): EVERYBODY,
    ("offers", "GET", "/v1/exports/boards.{form}"): EVERYBODY,
    ("offers", "GET", "/v1/exports/offers/changes"): EVERYBODY,
    ("offers", "GET", "/v1/exports/providers/changes"): EVERYBODY,
    ("offers", "GET", "/v1/offers/{offer_id}/jsonld"): EVERYBODY,
    ("offers", "GET", "/v1/needs"): EVERYBODY,
    ("offers", "GET", "/v1/boards/{slug}/periods"): EVERYBODY,
    ("offers", "POST", "/v1/boards/{slug}/periods"): EDITORS,
    ("offers", "GET", "/v1/periods/{period_id}"): EVERYBODY,
    ("offers", "POST", "/v1/periods/{period_id}/wishlists"): EVERYBODY,
    ("offers", "GET", "/v1/periods/{period_id}/children"): EDITORS,
    ("offers", "PUT", "/v1/periods/{period_id}/children/{child_id}/confirmed"): EDITORS,
    ("offers", "POST", "/v1/periods/{period_id}/allocate"): EDITORS,
    ("offers", "GET", "/v1/periods/{period_id}/result"): EDITORS | {"provider", OWN, MEMBER, OTHER},
    ("offers", "GET", "/v1/wishlists/{wishlist_id}"): NOBODY,
    ("offers", "PUT", "/v1/wishlists/{wishlist_id}"): NOBODY,
    ("offers", "DELETE", "/v1/wishlists/{wishlist_id}"): NOBODY,
    ("notify", "GET", "/v1/recipients/jwks.json"): EVERYBODY,
    ("notify", "POST", "/v1/recipients"): EVERYBODY,
    ("notify", "GET", "/v1/recipients/{recipient_id}"): NOBODY,
    ("notify", "PUT", "/v1/recipients/{recipient_id}"): NOBODY,
    ("notify", "DELETE", "/v1/recipients/{recipient_id}"): NOBODY,
    ("notify", "GET", "/v1/recipients/{recipient_id}/export"): NOBODY,
    ("notify", "POST", "/v1/recipients/{recipient_id}/confirmation"): NOBODY,
    ("notify", "POST", "/v1/recipients/{recipient_id}/confirm"): EVERYBODY,
    ("notify", "GET", "/pages/confirm/{recipient_id}"): EVERYBODY,
    ("notify", "POST", "/pages/confirm/{recipient_id}"): EVERYBODY,
    ("notify", "GET", "/pages/leave"): EVERYBODY,
    ("notify", "POST", "/pages/leave"): EVERYBODY,
    ("notify", "GET", "/v1/subscriptions"): NOBODY,
    ("notify", "POST", "/v1/subscriptions"): NOBODY,
    ("notify", "GET", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("notify", "PUT", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("notify", "DELETE", "/v1/subscriptions/{subscription_id}"): NOBODY,
    ("notify", "GET", "/pages/stop"): EVERYBODY,
    ("notify", "POST", "/pages/stop"): EVERYBODY,
    ("notify", "GET", "/v1/deliveries"): OPERATORS,
    ("notify", "GET", "/v1/push/key"): EVERYBODY,
    ("notify", "GET", "/v1/feeds/atom"): EVERYBODY,
    ("notify", "GET", "/v1/feeds/calendar.ics"): EVERYBODY,
    ("notify", "GET", "/v1/stream"): EVERYBODY,
    ("notify", "POST", "/v1/webhooks"): PARTNERS,
    ("notify", "GET", "/v1/webhooks"): PARTNERS,
    ("notify", "GET", "/v1/webhooks/{webhook_id}"): PARTNERS,
    ("notify", "PUT", "/v1/webhooks/{webhook_id}"): PARTNERS,
    ("notify", "DELETE", "/v1/webhooks/{webhook_id}"): PARTNERS,
    ("notify", "POST", "/v1/webhooks/{webhook_id}/secret"): PARTNERS,
    ("notify", "POST", "/v1/webhooks/{webhook_id}/test"): PARTNERS,
    ("notify", "GET", "/v1/webhooks/{webhook_id}/deliveries"): PARTNERS,
    ("notify", "POST", "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): PARTNERS,
    ("notify", "POST", "/v1/webhooks/{webhook_id}/replay"): PARTNERS,
    ("notify", "GET", "/v1/messages/templates"): EDITORS,
    ("notify", "GET", "/v1/messages/templates/{name}/preview"): EDITORS,
    ("notify", "GET", "/v1/messages/templates/{name}/preview.html"): EDITORS,
    ("notify", "POST", "/v1/mail/reports"): OPERATORS,
    ("search", "GET", "/v1/search"): EVERYBODY,
    ("search", "GET", "/v1/search/token"): EVERYBODY,
    ("search", "POST", "/v1/feedback"): EVERYBODY,
    ("search", "GET", "/opensearch.xml"): EVERYBODY,
    ("search", "GET", "/v1/suggest/opensearch"): EVERYBODY,
    ("search", "GET", "/v1/facets"): EVERYBODY,
    ("search", "GET", "/v1/suggest"): EVERYBODY,
    ("search", "GET", "/v1/index/status"): EVERYBODY,
    ("search", "POST", "/v1/index/reindex"): OPERATORS,
} | {
    (service, "GET", path): EVERYBODY
    for service in SERVICES
    for path in (
        "/health/live",
        "/health/ready",
        "/metrics",
        "/v1/events",
        "/v1/events/{name}",
        "/v1/problems",
        "/v1/problems/{code}",
    )
}
# A draft does not even show that it exists to those who may not see it.
HIDDEN = {
    ("offers", "GET", path)
    for path in (
        "/v1/offers/{offer_id}",
        "/v1/offers/{offer_id}/sessions",
        "/v1/offers/{offer_id}/places",
        "/v1/offers/{offer_id}/slots",
        "/v1/offers/{offer_id}/booking",
        "/v1/sessions/{session_id}",
        "/v1/offers/{offer_id}/calendar.ics",
        "/v1/sessions/{session_id}/calendar.ics",
    )
}

# What only a signed link opens, not an access token.
BY_LINK = (
    {("offers", "POST", "/v1/unsubscribe"), ("offers", "POST", "/v1/invitations/accept")}
    | {("offers", method, "/v1/wishlists/{wishlist_id}") for method in ("GET", "PUT", "DELETE")}
    | {("notify", method, "/v1/recipients/{recipient_id}") for method in ("GET", "PUT", "DELETE")}
    | {("notify", method, "/v1/subscriptions/{subscription_id}") for method in ("GET", "PUT", "DELETE")}
    | {
        ("notify", "GET", "/v1/subscriptions"),
        ("notify", "POST", "/v1/subscriptions"),
        ("notify", "GET", "/v1/recipients/{recipient_id}/export"),
        ("notify", "POST", "/v1/recipients/{recipient_id}/confirmation"),
    }
)


class Town:
    """The services in this process, with a provider and its draft in the database."""

    subject = "member"

    def __init__(self, home: Home, clients: dict[str, TestClient]) -> None:
        self._home, self.clients = home, clients
        self._tokens: dict[str, dict[str, str]] = {}
        kit: Kit = clients["offers"].app.state.kit  # type: ignore[attr-defined]
        until(lambda: kit.migrated)
        content = OfferContent(title={"de": "Platz"})
        with kit.database.transaction() as session:
            boards.follow(session, boards.read_declarations(ROOT / "city" / "boards"))
            self.provider = providers.join(session, ProviderContent(title={"de": "Träger"})).id
            self.other = providers.join(session, ProviderContent(title={"de": "Anderer"})).id
            session.flush()
            editor = Principal("test", EDITORS)
            self.offer = offers.draft(session, editor, "kita", self.provider, content).id
            session.flush()
            hour = datetime(2030, 5, 1, 9, tzinfo=UTC)
            date = OfferSession(offer_id=self.offer, starts_at=hour, ends_at=hour + timedelta(hours=1))
            session.add(date)
            self.session = date.id
            self.improvement = a_question(session)
            booking = Booking(board="kita", offer_id=self.offer, recipient_id="r", places=1, form={})
            session.add(booking)
            self.booking = booking.id
            self._link = links_of(kit.settings).sign("booking", booking.id, hour)
            for subject, role in (("gone", LEFT), (self.subject, Role.MEMBER), ("somebody", Role.MANAGER)):
                member = Member(provider_id=self.provider, subject=subject, role=role)
                session.add(member)
            self.member = member.id
            proposal = Proposal(
                kind=Kind.OFFER,
                thing_id=self.offer,
                provider_id=self.provider,
                made_on=1,
                base={},
                content={},
                created_by="somebody",
            )
            talk = Conversation(
                provider_id=self.provider, offer_id=self.offer, recipient_id="one", kept_until=hour
            )
            session.add_all([proposal, talk])
            session.flush()
            session.add(
                Message(conversation_id=talk.id, provider_id=self.provider, sender="requester", text="?")
            )
            self.proposal, self.conversation = proposal.id, talk.id

    def ask(self, service: str, method: str, path: str, caller: str) -> int:
        """The status that a caller gets."""
        ids = {
            "slug": "kita",
            "provider_id": self.provider,
            "offer_id": self.offer,
            "session_id": self.session,
            "series_id": self.session,
            "booking_id": self.booking,
            "member_id": self.member,
            "invitation_id": self.member,
            "proposal_id": self.proposal,
            "conversation_id": self.conversation,
            "import_id": self.offer,
            "period": "2026",
            "recipient_id": self.offer,
            "token": "nothing",
            "webhook_id": self.offer,
            "delivery_id": self.offer,
            "subscription_id": self.offer,
            "improvement_id": self.improvement,
            "field": "facility",
            "period_id": self.offer,
            "child_id": self.offer,
            "wishlist_id": self.offer,
            "name": "offers.offer.published.v1",
            "form": "csv",
            "code": "not-found",
            "id": self.offer,
        }
        body = {"board": "kita", "provider_id": self.provider, "content": {"title": {"de": "Neu"}}}
        more: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": BODIES.get(path, body)}
        headers = {"If-Match": '"999"'} | self._known(caller)
        query = QUERIES.get(path, {})
        url = path.format_map(ids)
        client = self.clients[service]
        assert client.portal
        return int(
            client.portal.call(_status, client, method, url, {"headers": headers, "params": query} | more)
        )

    def _known(self, caller: str) -> dict[str, str]:
        if caller not in self._tokens:
            self._tokens[caller] = self._token(caller)
        return self._tokens[caller]

    def _token(self, caller: str) -> dict[str, str]:
        if caller == ANONYMOUS:
            return {}
        if caller == LINK:
            return {"Link-Token": self._link}
        if caller in (UNROLED, PLENTY, GONE):
            return self._combined(caller)
        acts_for = {OWN: (self.provider,), OTHER: (self.other,)}.get(caller, ())
        roles = [] if caller == MEMBER else [caller if caller in ROLES else "provider"]
        subject = self.subject if caller == MEMBER else "local"
        token = keys.token(self._home, roles, acts_for, subject=subject)
        return {"Authorization": f"Bearer {token}"}

    def _combined(self, caller: str) -> dict[str, str]:
        roles = {UNROLED: [], PLENTY: ["caretaker", "agenda", "merchant", "partner"], GONE: ["provider"]}
        token = keys.token(
            self._home, roles[caller], [self.provider], subject="gone" if caller == GONE else "x"
        )
        return {"Authorization": f"Bearer {token}"}


async def _status(client: TestClient, method: str, url: str, more: dict[str, Any]) -> int:
    """What the app answers, asked in its own loop: a test client would change threads eight times for it."""
    transport = httpx2.ASGITransport(client.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=client.base_url) as own:
        return int((await own.request(method, url, **more)).status_code)


def a_question(session: Session) -> str:
    """An improvement that the board kita is offered."""
    change = {"kind": "rule_changed", "path": ["languages"], "after": ["de"]}
    asked = Improvement(board="kita", source="sport", source_version=1, change=change)
    session.add(asked)
    return asked.id


QUERIES = {
    "/v1/subscriptions": {"recipient_id": str(uuid7())},
    "/v1/imports": {"board": "kita"},
    "/v1/offers/{offer_id}/slots": {"from": "2026-01-01"},
    "/v1/stream": {"limit": "1"},  # refused for that alone: an open stream does not end
}
BODIES: dict[str, Any] = {
    "/v1/offers/{offer_id}/sessions": {"starts_at": "2020-01-01T10:00Z", "ends_at": "2020-01-01T11:00Z"},
    "/v1/offers/{offer_id}/series/{series_id}/cancel": {"since": "2030-01-01", "reason": "Pause"},
    "/v1/sessions/{session_id}": {},
    "/v1/sessions/{session_id}/move": {"reason": "Umzug"},
    "/v1/sessions/{session_id}/cancel": {"reason": "Pause"},
    "/v1/boards/{slug}": {"slug": "kita", "title": {"de": "Kita"}},
    "/v1/boards/{slug}/derive": {"slug": "kita", "title": {"de": "Kita"}},
    "/v1/boards/{slug}/withdraw": None,
    "/v1/boards/{slug}/improvements": {"source": "sport", "paths": [["languages"]]},
    "/v1/boards/{slug}/improvements/accept": {"improvements": [{"id": "none", "version": 1}]},
    "/v1/boards/{slug}/improvements/{improvement_id}/accept": {},
    "/v1/boards/{slug}/improvements/{improvement_id}/decline": {"reason": "Nein."},
    "/v1/providers": {"title": {"de": "Neu"}},
    "/v1/providers/{provider_id}": {"title": {"de": "Neu"}},
    "/v1/offers/{offer_id}": {"title": {"de": "Neu"}},
    "/v1/offers/{offer_id}/withdraw": {},
    "/v1/providers/{provider_id}/recipients": {"recipient_id": "recipient-1"},
    "/v1/wishlists/{wishlist_id}": {
        "recipient_id": "r1",
        "children": [{"label": "A", "born": "2018-05", "wishes": {"w1": [str(uuid7())]}}],
    },
    "/v1/periods/{period_id}/children/{child_id}/confirmed": {"claims": []},
    "/v1/providers/{provider_id}/members/{member_id}": {"role": "member"},
    "/v1/providers/{provider_id}/invitations": {"recipient_id": "recipient-1"},
    "/v1/offers/{offer_id}/proposals": {"content": {"title": {"de": "Neu"}}},
    "/v1/providers/{provider_id}/proposals": {"content": {"title": {"de": "Neu"}}},
    "/v1/proposals/{proposal_id}/refuse": {"reason": "Nein"},
    "/v1/offers/{offer_id}/contact": {"recipient_id": "recipient-1", "text": "Hallo"},
    "/v1/conversations/{conversation_id}/replies": {"text": "Hallo"},
    "/v1/offers/{offer_id}/places": {"max": 1},
    "/v1/offers/{offer_id}/booking": {},
    "/v1/bookings": {},
    "/v1/webhooks": {"url": "nowhere"},
    "/v1/webhooks/{webhook_id}": {"url": "https://example.org/"},
    "/v1/webhooks/{webhook_id}/replay": {},
    "/v1/recipients/{recipient_id}": {"language": "de", "timezone": "Europe/Berlin"},
    "/v1/subscriptions": {"recipient_id": str(uuid7()), "filter": {}},
    "/v1/subscriptions/{subscription_id}": {"filter": {}},
    "/v1/feedback": {"thing_id": "nothing", "helpful": True},
    "/v1/bookings/{booking_id}": {},
    "/v1/bookings/{booking_id}/cancel": {},
    "/v1/bookings/{booking_id}/decline": {},
    "/v1/boards/{slug}/budgets/{period}": {"amount_cents": 1},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    home = Home.of({"COBURG_HOME": str(folder)})
    keys.ensure(home)
    with pytest.MonkeyPatch.context() as environ, ExitStack() as running:
        environ.setenv("COBURG_HOME", str(folder))
        environ.setenv("COBURG_RATE_LIMIT", "")
        environ.setenv("COBURG_RECIPIENT_PROOF", "off")
        environ.setenv("COBURG_NATS_URL", "nats://127.0.0.1:9")  # nobody: authorisation comes before the bus
        environ.setenv("COBURG_MEILISEARCH_URL", "http://127.0.0.1:9")
        apps = {service: app_of(service) for service in SERVICES}
        clients = {name: TestClient(app, raise_server_exceptions=False) for name, app in apps.items()}
        for client in clients.values():
            running.enter_context(client)
        yield Town(home, clients)


def app_of(service: str) -> FastAPI:
    """A service's app as the present environment has it."""
    made = reload(import_module(f"services.{service}.app")).app
    assert isinstance(made, FastAPI)
    return made


def routes(town: Town) -> set[tuple[str, str, str]]:
    """Every route that the services have."""
    return {
        (service, method.upper(), path)
        for service, client in town.clients.items()
        for path, operations in client.get("/openapi.json").json()["paths"].items()
        for method in operations
    }


def test_the_table_names_every_route_and_no_other(town: Town) -> None:
    assert routes(town) == set(TABLE)


def test_nothing_is_hidden_from_the_table(town: Town) -> None:
    """What is not in the API document is only what shows the document."""
    hidden = {
        (service, route.path)
        for service, client in town.clients.items()
        for route in iter_route_contexts(client.app.routes)  # type: ignore[attr-defined]
        if not getattr(route, "include_in_schema", True)
    }
    assert {path for _, path in hidden} <= {
        "/openapi.json",
        "/hsds/",
        "/hsds/openapi.json",
        "/docs",
        "/assets/swagger-ui",
    }


@pytest.mark.parametrize("route", TABLE, ids=" ".join)
def test_a_caller_is_let_in_or_not(route: tuple[str, str, str], town: Town) -> None:
    expected = {caller: "allowed" if caller in TABLE[route] else refusal(route, caller) for caller in CALLERS}
    assert {caller: outcome(town.ask(*route, caller), route) for caller in CALLERS} == expected
    assert outcome(town.ask(*route, GONE), route) == expected[OTHER], "the organisation's word counts"


def refusal(route: tuple[str, str, str], caller: str) -> str:
    if route in HIDDEN:
        return "404"
    return "401" if caller in (ANONYMOUS, LINK) or route in BY_LINK else "403"


def outcome(status: int, route: tuple[str, str, str]) -> str:
    """A status as the table speaks of it; a failing service has not decided anything."""
    assert status != 500
    refused = {401, 403, 404} if route in HIDDEN else {401, 403}
    return str(status) if status in refused else "allowed"


def test_a_path_outside_the_table_is_nowhere(town: Town) -> None:
    assert town.clients["offers"].get("/v1/secrets").status_code == 404
