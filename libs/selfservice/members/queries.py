"""Reads: who acts for an organisation, and who is told."""

from collections.abc import Iterable
from dataclasses import replace

from sqlmodel import Session, col, select

from libs.selfservice.members.domain import LEFT, Role, Topic
from libs.selfservice.members.models import Invitation, Member, Recipient
from libs.servicekit.db import now
from libs.servicekit.errors import Forbidden, NotFound
from libs.servicekit.kit import Kit
from libs.servicekit.principal import Principal


def enrich_principal(kit: Kit, caller: Principal) -> Principal:
    """The caller with the organisations that they are a member of, beside those that their token names and that they
    have not left: whom an organisation let go it must take back itself, whatever the identity provider says."""
    if caller.is_any("editor"):
        return caller
    with kit.database.reading() as session:
        query = select(Member.provider_id, Member.role).where(Member.subject == caller.subject)
        roles = dict(session.exec(query).all())
    acts_for = {provider for provider, role in roles.items() if role != LEFT}
    added = {"provider"} if acts_for else set[str]()
    providers = (caller.providers - roles.keys()) | acts_for
    return replace(caller, roles=caller.roles | added, providers=providers)


def must_act_for(actor: Principal, provider_id: str | None) -> None:
    """Raise Forbidden unless the caller is an editor or acts for the organisation."""
    if not actor.is_any("editor") and provider_id not in actor.providers:
        raise Forbidden("You do not act for this organisation.", code="not-of-organisation")


def must_manage(session: Session, actor: Principal, provider_id: str) -> None:
    """Raise Forbidden unless the caller may say who acts for the organisation: an editor, a manager, or
    whom the identity provider vouches for and the organisation did not make a mere member."""
    must_act_for(actor, provider_id)
    own = member_of(session, provider_id, actor.subject)
    if not actor.is_any("editor") and own is not None and own.role != Role.MANAGER:
        raise Forbidden("This needs a manager of the organisation.", code="manager-needed")


def member_of(session: Session, provider_id: str, subject: str) -> Member | None:
    """Somebody's membership."""
    found = ever_member(session, provider_id, subject)
    return found if found and found.role != LEFT else None


def ever_member(session: Session, provider_id: str, subject: str) -> Member | None:
    """Somebody's membership, also one that is over."""
    query = select(Member).where(Member.provider_id == provider_id, Member.subject == subject)
    return session.exec(query).first()


def members(session: Session, provider_id: str) -> list[Member]:
    """All members of an organisation, in the order in which they joined."""
    query = select(Member).where(Member.provider_id == provider_id, Member.role != LEFT)
    return list(session.exec(query.order_by(Member.id)))


def member(session: Session, provider_id: str, member_id: str) -> Member:
    """One member of an organisation; NotFound when there is none."""
    found = session.get(Member, member_id)
    if found is None or found.provider_id != provider_id or found.role == LEFT:
        raise NotFound("member")
    return found


def invitations(session: Session, provider_id: str) -> list[Invitation]:
    """The invitations that are still open."""
    query = select(Invitation).where(
        Invitation.provider_id == provider_id, col(Invitation.expires_at) > now()
    )
    return list(session.exec(query.order_by(Invitation.id)))


def must_speak_for(session: Session, asker: Principal | str, provider_id: str | None) -> None:
    """The same for who holds a link to a registration; it ends when the recipient is taken off the list."""
    if isinstance(asker, Principal):
        must_act_for(asker, provider_id)
    elif not _registered_for(session, asker, provider_id):
        raise Forbidden("The link does not speak for this organisation, or no longer.", code="wrong-link")


def _registered_for(session: Session, registration_id: str, provider_id: str | None) -> bool:
    known = session.get(Recipient, registration_id)
    return known is not None and known.provider_id == provider_id


def registered(session: Session, provider_ids: Iterable[str], topic: Topic) -> list[Recipient]:
    """Who asked to be told of a topic, of any of these organisations."""
    query = select(Recipient).where(col(Recipient.provider_id).in_(list(provider_ids)))
    found = session.exec(query.order_by(Recipient.id))
    return [recipient for recipient in found if topic in recipient.topics]


def recipients(session: Session, provider_id: str) -> list[Recipient]:
    """All recipients of an organisation, in the order in which they registered."""
    query = select(Recipient).where(Recipient.provider_id == provider_id)
    return list(session.exec(query.order_by(Recipient.id)))


def recipient(session: Session, provider_id: str, recipient_id: str) -> Recipient | None:
    """One recipient of an organisation."""
    query = select(Recipient).where(
        Recipient.provider_id == provider_id, Recipient.recipient_id == recipient_id
    )
    return session.exec(query).first()
