"""Who may do what at the retail service, and what stands in its database meanwhile."""

from typing import Any

from libs.selfservice.members.domain import LEFT, Role
from libs.selfservice.members.models import Member
from libs.selfservice.proposals.models import Proposal
from libs.servicekit.db import now
from libs.servicekit.kit import Kit
from libs.servicekit.links import links_of
from libs.servicekit.principal import Principal
from services.retail.lunches.models import Menu
from services.retail.shops import commands as shops
from services.retail.shops.domain import ShopContent
from services.retail.stories import commands as stories
from services.retail.stories.domain import StoryContent
from tests.conformance.access import (
    EDITORS,
    EVERYBODY,
    MEMBER,
    NOBODY,
    OPERATORS,
    OTHER,
    OWN,
    OWN_PEOPLE,
    PLENTY,
    Access,
    Things,
)

# The caretaker is the editor of the shop window, whatever else a token says.
CARETAKERS = EDITORS | {"caretaker", PLENTY}
WRITERS = CARETAKERS | OWN_PEOPLE
MANAGERS = CARETAKERS | {OWN}
TABLE = {
    ("GET", "/v1/shops"): EVERYBODY,
    ("POST", "/v1/shops"): WRITERS | {"provider", "merchant", OTHER},
    ("GET", "/v1/shops/vocabulary"): EVERYBODY,
    ("GET", "/v1/shops/{shop_id}"): CARETAKERS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/shops/{shop_id}"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/release"): CARETAKERS,
    ("POST", "/v1/shops/{shop_id}/withdraw"): WRITERS,
    ("GET", "/v1/shops/{shop_id}/hours"): CARETAKERS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/shops/{shop_id}/hours"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/hours/preview"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/hours/confirm"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/proposals"): WRITERS,
    ("GET", "/v1/lunches"): EVERYBODY,
    ("GET", "/v1/lunches/vocabulary"): EVERYBODY,
    ("POST", "/v1/shops/{shop_id}/menus/parse"): WRITERS,
    ("GET", "/v1/shops/{shop_id}/menus/{week}"): CARETAKERS | OPERATORS | OWN_PEOPLE,
    ("PUT", "/v1/shops/{shop_id}/menus/{week}"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/menus/{week}/repeat"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/menus/{week}/confirm"): WRITERS,
    ("POST", "/v1/shops/{shop_id}/lunches/{day}/sold-out"): WRITERS,
    ("POST", "/v1/pictures"): WRITERS | {"provider", "merchant", OTHER},
    ("GET", "/v1/pictures/{picture_id}"): EVERYBODY,
    ("GET", "/v1/pictures/{picture_id}/{name}"): EVERYBODY,
    ("GET", "/v1/stories"): EVERYBODY,
    ("POST", "/v1/stories"): WRITERS,
    ("GET", "/v1/stories/{story_id}"): CARETAKERS | OWN_PEOPLE,
    ("PUT", "/v1/stories/{story_id}"): WRITERS,
    ("POST", "/v1/stories/{story_id}/submit"): WRITERS,
    ("POST", "/v1/stories/{story_id}/return"): CARETAKERS,
    ("POST", "/v1/stories/{story_id}/publish"): CARETAKERS,
    ("POST", "/v1/stories/{story_id}/archive"): WRITERS,
    ("GET", "/v1/stories/{story_id}/preview"): WRITERS,
    ("GET", "/v1/stories/{story_id}/versions"): WRITERS,
    ("POST", "/v1/stories/{story_id}/versions/{version}/restore"): WRITERS,
    ("GET", "/v1/stories/{story_id}/comments"): WRITERS,
    ("POST", "/v1/stories/{story_id}/comments"): WRITERS,
    ("GET", "/v1/stories/{story_id}/packs"): WRITERS,
    ("GET", "/v1/stories/{story_id}/packs/sign.pdf"): WRITERS,
    ("GET", "/v1/stories/{story_id}/packs/{channel}.svg"): WRITERS,
    ("GET", "/v1/stories/{story_id}/visits"): WRITERS,
    ("GET", "/s/{code}"): EVERYBODY,
    ("GET", "/v1/desk/today"): CARETAKERS,
    ("GET", "/v1/desk/questionnaire"): CARETAKERS,
    ("GET", "/v1/desk/shops/{shop_id}"): CARETAKERS,
    ("POST", "/v1/desk/shops/{shop_id}/assessments"): CARETAKERS,
    ("POST", "/v1/desk/tasks"): CARETAKERS,
    ("POST", "/v1/desk/tasks/{task_id}/done"): CARETAKERS,
    ("POST", "/v1/desk/tasks/{task_id}/snooze"): CARETAKERS,
    ("POST", "/v1/desk/tasks/{task_id}/hand-over"): CARETAKERS,
    ("POST", "/v1/desk/visits"): CARETAKERS,
    ("DELETE", "/v1/desk/visits/{visit_id}"): CARETAKERS,
    ("GET", "/v1/desk/visits.ics"): CARETAKERS,
    ("GET", "/v1/feeds/stories.atom"): EVERYBODY,
    ("GET", "/v1/proposals"): CARETAKERS | {"provider", OWN, MEMBER, OTHER},
    ("GET", "/v1/proposals/{proposal_id}"): WRITERS,
    ("POST", "/v1/proposals/{proposal_id}/release"): CARETAKERS,
    ("POST", "/v1/proposals/{proposal_id}/refuse"): CARETAKERS,
    ("POST", "/v1/proposals/{proposal_id}/withdraw"): WRITERS,
    ("GET", "/v1/providers/{provider_id}/members"): WRITERS,
    ("PUT", "/v1/providers/{provider_id}/members/{member_id}"): MANAGERS,
    ("DELETE", "/v1/providers/{provider_id}/members/{member_id}"): MANAGERS,
    ("GET", "/v1/providers/{provider_id}/invitations"): MANAGERS,
    ("POST", "/v1/providers/{provider_id}/invitations"): MANAGERS,
    ("DELETE", "/v1/providers/{provider_id}/invitations/{invitation_id}"): MANAGERS,
    ("POST", "/v1/invitations/accept"): NOBODY,
    ("GET", "/v1/providers/{provider_id}/recipients"): WRITERS,
    ("POST", "/v1/providers/{provider_id}/recipients"): WRITERS,
    ("DELETE", "/v1/providers/{provider_id}/recipients/{recipient_id}"): WRITERS,
    ("POST", "/v1/unsubscribe"): NOBODY,
    ("POST", "/v1/imports"): CARETAKERS,
    ("GET", "/v1/imports/{import_id}"): CARETAKERS,
    ("GET", "/v1/imports/{import_id}/report"): CARETAKERS,
}
HIDDEN = frozenset(
    ("GET", path)
    for path in (
        "/v1/shops/{shop_id}",
        "/v1/shops/{shop_id}/hours",
        "/v1/shops/{shop_id}/menus/{week}",
        "/v1/stories/{story_id}",
    )
)
BY_LINK = frozenset({("POST", "/v1/unsubscribe"), ("POST", "/v1/invitations/accept")})
TITLE: dict[str, Any] = {"title": {"de": "Laden"}}
STORY: dict[str, Any] = {"title": {"de": "Geschichte"}}
BODIES: dict[str, Any] = {
    "/v1/shops": {"title": 1},  # whoever asks for a shop would manage it from then on
    "/v1/shops/{shop_id}": TITLE,
    "/v1/shops/{shop_id}/release": None,
    "/v1/shops/{shop_id}/withdraw": None,
    "/v1/shops/{shop_id}/hours": {"hours": "Mo-Fr 09:00-18:00"},
    "/v1/shops/{shop_id}/hours/preview": {"hours": "Mo-Fr 09:00-18:00"},
    "/v1/shops/{shop_id}/proposals": {"content": TITLE},
    "/v1/shops/{shop_id}/menus/parse": {"text": "Mo: Suppe 3,50"},
    "/v1/shops/{shop_id}/menus/{week}": {},
    "/v1/shops/{shop_id}/menus/{week}/confirm": None,
    "/v1/shops/{shop_id}/lunches/{day}/sold-out": {},
    "/v1/desk/shops/{shop_id}/assessments": {"answers": {}},
    "/v1/desk/tasks": {},
    "/v1/desk/visits": {},
    "/v1/desk/tasks/{task_id}/done": None,
    "/v1/desk/tasks/{task_id}/snooze": {"until": "2030-01-01"},
    "/v1/desk/tasks/{task_id}/hand-over": {},
    "/v1/stories/{story_id}": STORY,
    "/v1/stories/{story_id}/submit": None,
    "/v1/stories/{story_id}/return": {"text": "Nein"},
    "/v1/stories/{story_id}/publish": None,
    "/v1/stories/{story_id}/archive": None,
    "/v1/stories/{story_id}/versions/{version}/restore": None,
    "/v1/stories/{story_id}/comments": {"text": "Schön"},
    "/v1/proposals/{proposal_id}/refuse": {"reason": "Nein"},
    "/v1/providers/{provider_id}/recipients": {"recipient_id": "recipient-1"},
    "/v1/providers/{provider_id}/members/{member_id}": {"role": "member"},
    "/v1/providers/{provider_id}/invitations": {"recipient_id": "recipient-1"},
}


def make(kit: Kit) -> Things:
    """A shop that waits to be released and everything that hangs on it, and another shop."""
    merchant = Principal("somebody", frozenset({"merchant"}))
    content = ShopContent(title={"de": "Laden"})
    with kit.database.transaction() as session:
        shop = shops.enrol(session, merchant, content).id
        other = shops.enrol(session, Principal("another", frozenset({"merchant"})), content).id
        for subject, role in (("gone", LEFT), ("member", Role.MEMBER), ("third", Role.MANAGER)):
            member = Member(provider_id=shop, subject=subject, role=role)
            session.add(member)
        proposal = Proposal(
            kind="shop",
            thing_id=shop,
            provider_id=shop,
            made_on=1,
            base={},
            content={},
            created_by="somebody",
        )
        own = Principal("somebody", frozenset({"provider"}), frozenset({shop}))
        story = stories.draft(session, own, shop, StoryContent(title={"de": "Geschichte"}))
        session.add_all([proposal, Menu(shop_id=shop, week="2030-W10", content={}, confirmed=True)])
    ids = {
        "shop_id": shop,
        "provider_id": shop,
        "member_id": member.id,
        "invitation_id": member.id,
        "proposal_id": proposal.id,
        "import_id": shop,
        "story_id": story.id,
        "version": "1",
        "picture_id": "0" * 64,
        "channel": "facebook",
        "week": "2030-W10",
        "day": "2030-03-04",
    }
    link = links_of(kit.settings).sign("shop", shop, now())
    return Things(shop, other, link=link, ids=ids, body={"shop_id": shop, "content": STORY})


ACCESS = Access("retail", TABLE, hidden=HIDDEN, by_link=BY_LINK, bodies=BODIES, make=make)
