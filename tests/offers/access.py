"""Who may do what at the offers service, and what stands in its database meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from cli.home import ROOT
from libs.selfservice.members.domain import LEFT, Role
from libs.selfservice.members.models import Member
from libs.selfservice.proposals.models import Proposal
from libs.servicekit.kit import Kit
from libs.servicekit.links import links_of
from libs.servicekit.principal import Principal
from services.offers.blueprints.models import Improvement
from services.offers.boards import commands as boards
from services.offers.bookings.models import Booking
from services.offers.contact.models import Conversation, Message
from services.offers.offers import commands as offers
from services.offers.offers.domain import OfferContent
from services.offers.providers import commands as providers
from services.offers.providers.domain import ProviderContent
from services.offers.sessions.models import OfferSession
from tests.conformance.access import (
    EDITORS,
    EVERYBODY,
    LINK,
    MANAGERS,
    MEMBER,
    NOBODY,
    OPERATORS,
    OTHER,
    OWN,
    OWN_PEOPLE,
    WRITERS,
    Access,
    Things,
    some_id,
)

TABLE = {
    ("GET", "/v1/boards"): EVERYBODY,
    ("GET", "/v1/boards/{slug}"): EVERYBODY,
    ("PUT", "/v1/boards/{slug}"): EDITORS,
    ("POST", "/v1/boards/{slug}/derive"): EDITORS,
    ("POST", "/v1/boards/{slug}/withdraw"): EDITORS,
    ("GET", "/v1/boards/{slug}/lineage"): EVERYBODY,
    ("GET", "/v1/boards/{slug}/migrations"): EDITORS | OPERATORS,
    ("GET", "/v1/boards/{slug}/improvements"): EVERYBODY,
    ("POST", "/v1/boards/{slug}/improvements"): EDITORS,
    ("POST", "/v1/boards/{slug}/improvements/accept"): EDITORS,
    ("GET", "/v1/boards/{slug}/improvements/{improvement_id}"): EVERYBODY,
    ("POST", "/v1/boards/{slug}/improvements/{improvement_id}/accept"): EDITORS,
    ("POST", "/v1/boards/{slug}/improvements/{improvement_id}/decline"): EDITORS,
    ("DELETE", "/v1/offers/{offer_id}/flags/{field}"): WRITERS,
    ("GET", "/v1/providers"): EVERYBODY,
    ("POST", "/v1/providers"): EDITORS,
    ("GET", "/v1/providers/{provider_id}"): EVERYBODY,
    ("PUT", "/v1/providers/{provider_id}"): EDITORS,
    ("DELETE", "/v1/providers/{provider_id}"): EDITORS,
    ("GET", "/v1/offers"): EVERYBODY,
    ("POST", "/v1/offers"): WRITERS,
    ("GET", "/v1/offers/{offer_id}"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/offers/{offer_id}"): WRITERS,
    ("POST", "/v1/offers/{offer_id}/submit"): WRITERS,
    ("POST", "/v1/offers/{offer_id}/publish"): EDITORS,
    ("POST", "/v1/offers/{offer_id}/withdraw"): WRITERS,
    ("GET", "/v1/offers/{offer_id}/sessions"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("POST", "/v1/offers/{offer_id}/sessions"): WRITERS,
    ("POST", "/v1/offers/{offer_id}/series/{series_id}/cancel"): WRITERS,
    ("GET", "/v1/sessions/{session_id}"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/sessions/{session_id}"): WRITERS,
    ("POST", "/v1/sessions/{session_id}/move"): WRITERS,
    ("POST", "/v1/sessions/{session_id}/cancel"): WRITERS,
    ("GET", "/v1/holidays"): EVERYBODY,
    ("GET", "/v1/offers/{offer_id}/places"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/offers/{offer_id}/places"): WRITERS,
    ("POST", "/v1/offers/{offer_id}/check"): WRITERS,
    ("GET", "/v1/providers/{provider_id}/unchecked"): WRITERS,
    ("GET", "/v1/providers/{provider_id}/recipients"): WRITERS,
    ("POST", "/v1/providers/{provider_id}/recipients"): WRITERS,
    ("DELETE", "/v1/providers/{provider_id}/recipients/{recipient_id}"): WRITERS,
    ("POST", "/v1/unsubscribe"): NOBODY,
    ("GET", "/v1/offers/{offer_id}/slots"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("GET", "/v1/offers/{offer_id}/calendar.ics"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("GET", "/v1/sessions/{session_id}/calendar.ics"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("GET", "/v1/offers/{offer_id}/booking"): EDITORS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/offers/{offer_id}/booking"): WRITERS,
    ("GET", "/v1/bookings"): EDITORS | {"provider", OWN, MEMBER, OTHER},
    ("POST", "/v1/bookings"): EVERYBODY,
    ("GET", "/v1/bookings/{booking_id}"): WRITERS | {LINK},
    ("PUT", "/v1/bookings/{booking_id}"): frozenset({LINK}),
    ("DELETE", "/v1/bookings/{booking_id}"): frozenset({LINK}),
    ("GET", "/v1/bookings/{booking_id}/export"): frozenset({LINK}),
    ("POST", "/v1/bookings/{booking_id}/accept"): frozenset({LINK}),
    ("POST", "/v1/bookings/{booking_id}/cancel"): WRITERS | {LINK},
    ("POST", "/v1/bookings/{booking_id}/approve"): WRITERS,
    ("POST", "/v1/bookings/{booking_id}/decline"): WRITERS,
    ("GET", "/v1/providers/{provider_id}/members"): WRITERS,
    ("PUT", "/v1/providers/{provider_id}/members/{member_id}"): MANAGERS,
    ("DELETE", "/v1/providers/{provider_id}/members/{member_id}"): MANAGERS,
    ("GET", "/v1/providers/{provider_id}/invitations"): MANAGERS,
    ("POST", "/v1/providers/{provider_id}/invitations"): MANAGERS,
    ("DELETE", "/v1/providers/{provider_id}/invitations/{invitation_id}"): MANAGERS,
    ("POST", "/v1/invitations/accept"): NOBODY,
    ("POST", "/v1/offers/{offer_id}/proposals"): WRITERS,
    ("POST", "/v1/providers/{provider_id}/proposals"): WRITERS,
    ("GET", "/v1/proposals"): EDITORS | {"provider", OWN, MEMBER, OTHER},
    ("GET", "/v1/proposals/{proposal_id}"): WRITERS,
    ("POST", "/v1/proposals/{proposal_id}/release"): EDITORS,
    ("POST", "/v1/proposals/{proposal_id}/refuse"): EDITORS,
    ("POST", "/v1/proposals/{proposal_id}/withdraw"): WRITERS,
    ("POST", "/v1/offers/{offer_id}/contact"): EVERYBODY,
    ("GET", "/v1/providers/{provider_id}/messages"): OWN_PEOPLE,
    ("GET", "/v1/conversations/{conversation_id}"): OWN_PEOPLE,
    ("POST", "/v1/conversations/{conversation_id}/replies"): OWN_PEOPLE,
    ("DELETE", "/v1/conversations/{conversation_id}"): OWN_PEOPLE,
    ("POST", "/v1/imports"): EDITORS,
    ("GET", "/v1/imports/{import_id}"): EDITORS,
    ("GET", "/v1/imports/{import_id}/report"): EDITORS,
    ("GET", "/v1/mappings"): EVERYBODY,
    ("GET", "/v1/boards/{slug}/funding/quote"): EVERYBODY,
    ("GET", "/v1/boards/{slug}/budgets"): EVERYBODY,
    ("GET", "/v1/boards/{slug}/budgets/{period}"): EVERYBODY,
    ("PUT", "/v1/boards/{slug}/budgets/{period}"): EDITORS,
    ("GET", "/v1/boards/{slug}/budgets/{period}/ledger"): EDITORS,
    ("GET", "/hsds"): EVERYBODY,
    ("GET", "/hsds/services"): EVERYBODY,
    ("POST", "/hsds/services"): EVERYBODY,
    ("GET", "/hsds/services/{id}"): EVERYBODY,
    ("GET", "/hsds/service_at_locations"): EVERYBODY,
    ("POST", "/hsds/service_at_locations"): EVERYBODY,
    ("GET", "/hsds/service_at_locations/{id}"): EVERYBODY,
    ("GET", "/hsds/organizations"): EVERYBODY,
    ("POST", "/hsds/organizations"): EVERYBODY,
    ("GET", "/hsds/organizations/{id}"): EVERYBODY,
    ("GET", "/hsds/taxonomies"): EVERYBODY,
    ("POST", "/hsds/taxonomies"): EVERYBODY,
    ("GET", "/hsds/taxonomies/{id}"): EVERYBODY,
    ("GET", "/hsds/taxonomy_terms"): EVERYBODY,
    ("POST", "/hsds/taxonomy_terms"): EVERYBODY,
    ("GET", "/hsds/taxonomy_terms/{id}"): EVERYBODY,
    ("GET", "/v1/exports/offers.{form}"): EVERYBODY,
    ("GET", "/v1/exports/providers.{form}"): EVERYBODY,
    ("GET", "/v1/exports/boards.{form}"): EVERYBODY,
    ("GET", "/v1/exports/offers/changes"): EVERYBODY,
    ("GET", "/v1/exports/providers/changes"): EVERYBODY,
    ("GET", "/v1/offers/{offer_id}/jsonld"): EVERYBODY,
    ("GET", "/v1/needs"): EVERYBODY,
    ("GET", "/v1/boards/{slug}/periods"): EVERYBODY,
    ("POST", "/v1/boards/{slug}/periods"): EDITORS,
    ("GET", "/v1/periods/{period_id}"): EVERYBODY,
    ("POST", "/v1/periods/{period_id}/wishlists"): EVERYBODY,
    ("GET", "/v1/periods/{period_id}/children"): EDITORS,
    ("PUT", "/v1/periods/{period_id}/children/{child_id}/confirmed"): EDITORS,
    ("POST", "/v1/periods/{period_id}/allocate"): EDITORS,
    ("GET", "/v1/periods/{period_id}/result"): EDITORS | {"provider", OWN, MEMBER, OTHER},
    ("GET", "/v1/wishlists/{wishlist_id}"): NOBODY,
    ("PUT", "/v1/wishlists/{wishlist_id}"): NOBODY,
    ("DELETE", "/v1/wishlists/{wishlist_id}"): NOBODY,
}
HIDDEN = frozenset(
    ("GET", path)
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
)
BY_LINK = frozenset((method, "/v1/wishlists/{wishlist_id}") for method in ("GET", "PUT", "DELETE")) | {
    ("POST", "/v1/unsubscribe"),
    ("POST", "/v1/invitations/accept"),
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
        "children": [{"label": "A", "born": "2018-05", "wishes": {"w1": [some_id()]}}],
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
    "/v1/bookings/{booking_id}": {},
    "/v1/bookings/{booking_id}/cancel": {},
    "/v1/bookings/{booking_id}/decline": {},
    "/v1/boards/{slug}/budgets/{period}": {"amount_cents": 1},
}


def make(kit: Kit) -> Things:
    """A provider with a draft and everything that hangs on it, and another provider."""
    content = OfferContent(title={"de": "Platz"})
    with kit.database.transaction() as session:
        boards.follow(session, boards.read_declarations(ROOT / "city" / "boards"))
        provider = providers.join(session, ProviderContent(title={"de": "Träger"})).id
        other = providers.join(session, ProviderContent(title={"de": "Anderer"})).id
        session.flush()
        editor = Principal("test", EDITORS)
        offer = offers.draft(session, editor, "kita", provider, content).id
        session.flush()
        hour = datetime(2030, 5, 1, 9, tzinfo=UTC)
        date = OfferSession(offer_id=offer, starts_at=hour, ends_at=hour + timedelta(hours=1))
        session.add(date)
        improvement = a_question(session)
        booking = Booking(board="kita", offer_id=offer, recipient_id="r", places=1, form={})
        session.add(booking)
        link = links_of(kit.settings).sign("booking", booking.id, hour)
        for subject, role in (("gone", LEFT), ("member", Role.MEMBER), ("somebody", Role.MANAGER)):
            member = Member(provider_id=provider, subject=subject, role=role)
            session.add(member)
        proposal = Proposal(
            kind="offer",
            thing_id=offer,
            provider_id=provider,
            made_on=1,
            base={},
            content={},
            created_by="somebody",
        )
        talk = Conversation(provider_id=provider, offer_id=offer, recipient_id="one", kept_until=hour)
        session.add_all([proposal, talk])
        session.flush()
        session.add(Message(conversation_id=talk.id, provider_id=provider, sender="requester", text="?"))
    ids = {
        "slug": "kita",
        "provider_id": provider,
        "offer_id": offer,
        "session_id": date.id,
        "series_id": date.id,
        "booking_id": booking.id,
        "member_id": member.id,
        "invitation_id": member.id,
        "proposal_id": proposal.id,
        "conversation_id": talk.id,
        "improvement_id": improvement,
        "import_id": offer,
        "period": "2026",
        "field": "facility",
        "form": "csv",
    }
    body = {"board": "kita", "provider_id": provider, "content": {"title": {"de": "Neu"}}}
    return Things(provider, other, link=link, ids=ids, body=body)


def a_question(session: Session) -> str:
    """An improvement that the board kita is offered."""
    change = {"kind": "rule_changed", "path": ["languages"], "after": ["de"]}
    asked = Improvement(board="kita", source="sport", source_version=1, change=change)
    session.add(asked)
    return asked.id


ACCESS = Access(
    "offers",
    TABLE,
    hidden=HIDDEN,
    by_link=BY_LINK,
    bodies=BODIES,
    queries={"/v1/imports": {"board": "kita"}, "/v1/offers/{offer_id}/slots": {"from": "2026-01-01"}},
    rates={"/v1/offers/{offer_id}/contact": 5},  # others have to read what is written here
    read_by_post=("/hsds/",),
    make=make,
)
