"""What is done with shops: one function = one transaction of the caller's, with the facts it causes."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from libs.contracts import retail as events
from libs.selfservice.members.domain import Role
from libs.selfservice.members.models import Member
from libs.selfservice.members.queries import must_act_for
from libs.selfservice.proposals import commands as proposals
from libs.selfservice.proposals.commands import Proposable
from libs.selfservice.proposals.domain import Content
from libs.selfservice.proposals.models import Proposal
from libs.servicekit import outbox
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, Forbidden, check_version
from libs.servicekit.outbox import Entry
from libs.servicekit.principal import Principal
from libs.telemetry import spans
from services.retail.shops import queries
from services.retail.shops.domain import OpeningTimes, ShopContent, ShopStatus, fact
from services.retail.shops.models import Shop, stored
from services.retail.shops.vocabulary import here


def enrol(session: Session, actor: Principal, content: ShopContent) -> Shop:
    """A new shop: in the shop window at once where an editor enters it; else it waits to be released, and whoever asked
    for it manages it."""
    here().check(content)
    shop = Shop(content={}, created_by=actor.subject)
    shop.say(stored(content))
    session.add(shop)
    if actor.is_any("editor"):
        publish(session, shop)
    else:
        session.flush()  # the table of members is a library's and does not know which row it belongs to
        session.add(Member(provider_id=shop.id, subject=actor.subject, role=Role.MANAGER))
    return shop


def change(session: Session, actor: Principal, shop_id: str, expected: int, content: ShopContent) -> Shop:
    """Replace what is said of a shop. Its own people may until it is released, an editor always."""
    shop = held_for(session, actor, shop_id, expected)
    if shop.status == ShopStatus.PUBLISHED and not actor.is_any("editor"):
        raise Forbidden(
            "A shop in the shop window is changed by the caretaker; propose the change.",
            code="propose-instead",
        )
    here().check(content)
    return revise(session, shop, content)


def revise(session: Session, shop: Shop, content: ShopContent) -> Shop:
    """Let a shop say this from now on."""
    if (said := stored(content)) != shop.content:
        shop.say(said)
        step(session, shop)
    return shop


def open_at(
    session: Session, actor: Principal, shop_id: str, expected: int, times: OpeningTimes, today: date
) -> Shop:
    """Say when a shop is open: its own people know best, so nobody releases it, and it counts as confirmed."""
    shop = held_for(session, actor, shop_id, expected)
    said = shop.said.model_copy(update={"hours": times.hours, "exceptions": times.exceptions})
    shop.say(stored(said))
    shop.hours_confirmed_on = today
    step(session, shop)
    return shop


def confirm_hours(session: Session, actor: Principal, shop_id: str, today: date) -> Shop:
    """Say that the hours are right as they stand; a second time on a day changes nothing."""
    shop = queries.locked(session, shop_id)
    must_act_for(actor, shop.id)
    if shop.hours_confirmed_on != today:
        shop.hours_confirmed_on = today
        step(session, shop)
    return shop


def release(session: Session, shop_id: str, expected: int) -> Shop:
    """Show a shop in the shop window, for the first time or again."""
    shop = queries.locked(session, shop_id)
    check_version(expected, shop.version)
    if shop.status == ShopStatus.PUBLISHED:
        raise Conflict("The shop is in the shop window already.", code="shop-state", status=shop.status)
    publish(session, shop)
    return shop


def publish(session: Session, shop: Shop) -> None:
    """Put a shop into the shop window."""
    shop.version += 1
    shop.status, shop.changed_at = ShopStatus.PUBLISHED, now()
    shop.published_at = shop.published_at or now()
    tell(session, shop, events.ShopPublished)


def withdraw(session: Session, actor: Principal, shop_id: str, expected: int) -> Shop:
    """Take a shop out of the shop window."""
    shop = held_for(session, actor, shop_id, expected)
    if shop.status == ShopStatus.WITHDRAWN:
        raise Conflict("The shop is out of the shop window already.", code="shop-state", status=shop.status)
    take_out(session, shop)
    return shop


def take_out(session: Session, shop: Shop) -> None:
    """Take a shop out of the shop window, or let one that waited be refused."""
    public = shop.status == ShopStatus.PUBLISHED
    shop.status, shop.version, shop.changed_at = ShopStatus.WITHDRAWN, shop.version + 1, now()
    if public:
        tell(session, shop, events.ShopWithdrawn)


def propose(
    session: Session,
    actor: Principal,
    shop_id: str,
    expected: int,
    content: ShopContent,
    recipient_id: str | None,
) -> Proposal:
    """Propose what is to be said of a shop that is in the shop window."""
    shop = held_for(session, actor, shop_id, expected)
    if shop.status != ShopStatus.PUBLISHED:
        raise Conflict("Only a shop in the shop window needs a proposal.", code="no-proposal-needed")
    here().check(content)
    proposal = Proposal(
        kind="shop",
        thing_id=shop.id,
        provider_id=shop.id,
        made_on=expected,
        base=shop.content,
        content=stored(content),
        recipient_id=recipient_id,
        created_by=actor.subject,
    )
    return proposals.enter(session, proposal)


def _present(session: Session, shop_id: str) -> Content:
    shop = queries.locked(session, shop_id)
    if shop.status != ShopStatus.PUBLISHED:
        raise Conflict(f"The shop is {shop.status} by now.", code="shop-state", status=shop.status)
    return shop.content


def _revise(session: Session, shop_id: str, content: ShopContent, _today: date) -> None:
    revise(session, queries.locked(session, shop_id), content)


PROPOSABLE = {"shop": Proposable(ShopContent, _present, _revise)}


def held_for(session: Session, actor: Principal, shop_id: str, expected: int) -> Shop:
    """A shop the caller may act for, held until the transaction ends."""
    shop = queries.locked(session, shop_id)
    must_act_for(actor, shop.id)
    check_version(expected, shop.version)
    return shop


def step(session: Session, shop: Shop) -> None:
    """A shop moved on: its next version, told if it is public."""
    step_all(session, [shop])


def step_all(session: Session, shops: Sequence[Shop]) -> None:
    """The same for many at once."""
    for shop in shops:
        shop.version, shop.changed_at = shop.version + 1, now()
    public = [shop for shop in shops if shop.status == ShopStatus.PUBLISHED]
    parent = spans.traceparent()
    outbox.add_all(session, [_entry(shop, events.ShopChanged, parent) for shop in public])


def tell(session: Session, shop: Shop, kind: type[events.ShopFact]) -> None:
    """Say a shop's present state on the bus."""
    outbox.add_all(session, [_entry(shop, kind, spans.traceparent())])


def _entry(shop: Shop, kind: type[events.ShopFact], parent: str | None) -> Entry:
    said = shop.said
    return Entry(fact(said, shop.standing, here().labels(said), kind), shop.id, shop.version, parent)
