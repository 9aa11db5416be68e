"""What is done with members and recipients: one function = one transaction of the caller's.

`hold` keeps the organisation itself until the transaction ends, and raises NotFound when there is none.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlmodel import Session, select

from libs.contracts.messages import OrganisationInvitation
from libs.contracts.notify import Subject
from libs.selfservice.members import queries
from libs.selfservice.members.domain import LEFT, Role, Topic
from libs.selfservice.members.models import Invitation, Member, Recipient
from libs.servicekit import erasure, messages
from libs.servicekit.db import now
from libs.servicekit.errors import Conflict, NotFound, check_version
from libs.servicekit.links import Links
from libs.servicekit.principal import Principal

MAX_RECIPIENTS = 50
MAX_MEMBERS = 200
INVITED_FOR = timedelta(days=14)

Hold = Callable[[Session, str], object]


def invite(
    session: Session,
    hold: Hold,
    actor: Principal,
    provider_id: str,
    recipient_id: str,
    role: Role,
    links: Links,
) -> Invitation:
    """Send somebody a link that makes them a member; only their recipient id is known here."""
    queries.must_manage(session, actor, provider_id)
    hold(session, provider_id)
    if (
        len(queries.members(session, provider_id)) + len(queries.invitations(session, provider_id))
        >= MAX_MEMBERS
    ):
        raise Conflict(
            f"An organisation has at most {MAX_MEMBERS} members and invitations.",
            code="too-many-members",
            most=MAX_MEMBERS,
        )
    until = now() + INVITED_FOR
    invitation = Invitation(
        provider_id=provider_id,
        recipient_id=recipient_id,
        role=role,
        created_by=actor.subject,
        expires_at=until,
    )
    session.add(invitation)
    messages.request(
        session,
        recipient_id,
        OrganisationInvitation(token=links.sign("invitation", invitation.id, until), role=role.value),
        Subject(kind="provider", id=provider_id),
        send_before=until,
    )
    return invitation


def revoke(session: Session, actor: Principal, provider_id: str, invitation_id: str) -> None:
    """Take an invitation back; its link opens nothing any more."""
    queries.must_manage(session, actor, provider_id)
    invitation = session.get(Invitation, invitation_id)
    if invitation is None or invitation.provider_id != provider_id:
        raise NotFound("invitation")
    session.delete(invitation)
    erasure.forget(session, invitation.id)


def accept(session: Session, hold: Hold, caller: Principal, invitation_id: str) -> Member:
    """Become a member; the invitation is used up. Who is one already may rise by it, never fall."""
    held = select(Invitation).where(Invitation.id == invitation_id).with_for_update()
    invitation = session.exec(held).first()
    if invitation is None:
        raise Conflict("The invitation was used or taken back.", code="invitation-used")
    hold(session, invitation.provider_id)
    member = queries.ever_member(session, invitation.provider_id, caller.subject)
    if member is None:
        member = Member(provider_id=invitation.provider_id, subject=caller.subject, role=invitation.role)
        session.add(member)
    elif member.role == LEFT or (invitation.role == Role.MANAGER and member.role != Role.MANAGER):
        member.role, member.version = invitation.role, member.version + 1
    member.recipient_id = invitation.recipient_id
    session.delete(invitation)
    return member


def change_role(
    session: Session,
    hold: Hold,
    actor: Principal,
    provider_id: str,
    member_id: str,
    expected: int,
    role: Role,
) -> Member:
    """Make a member a manager, or the other way round; one manager always stays."""
    queries.must_manage(session, actor, provider_id)
    hold(session, provider_id)
    member = queries.member(session, provider_id, member_id)
    check_version(expected, member.version)
    if member.role != role:
        _one_manager_stays(session, member)
        member.role, member.version = role, member.version + 1
    return member


def remove(
    session: Session, hold: Hold, actor: Principal, provider_id: str, member_id: str, expected: int
) -> None:
    """End a membership: a manager anybody's, everybody their own; one manager always stays. That it is over stays known,
    or a token that still names the organisation would open it again."""
    queries.must_act_for(actor, provider_id)
    hold(session, provider_id)
    member = queries.member(session, provider_id, member_id)
    if member.subject != actor.subject:
        queries.must_manage(session, actor, provider_id)
    check_version(expected, member.version)
    _one_manager_stays(session, member)
    member.role, member.recipient_id, member.version = LEFT, None, member.version + 1


def _one_manager_stays(session: Session, member: Member) -> None:
    """The provider is locked, so that two managers cannot leave at the same time."""
    others = [one for one in queries.members(session, member.provider_id) if one.id != member.id]
    if member.role == Role.MANAGER and not any(one.role == Role.MANAGER for one in others):
        raise Conflict(
            "This is the organisation's last manager; name another one first.", code="last-manager"
        )


def register(
    session: Session,
    hold: Hold,
    actor: Principal,
    provider_id: str,
    recipient_id: str,
    topics: Sequence[Topic],
) -> Recipient:
    """Tell a recipient of what concerns an organisation from now on; registering again replaces the topics."""
    queries.must_act_for(actor, provider_id)
    hold(session, provider_id)
    known = queries.recipient(session, provider_id, recipient_id)
    if known is None:
        if len(queries.recipients(session, provider_id)) >= MAX_RECIPIENTS:
            raise Conflict(
                f"An organisation has at most {MAX_RECIPIENTS} recipients.",
                code="too-many-recipients",
                most=MAX_RECIPIENTS,
            )
        known = Recipient(
            provider_id=provider_id, recipient_id=recipient_id, topics=[], created_by=actor.subject
        )
        session.add(known)
    known.topics = list(dict.fromkeys(topics))
    return known


def unregister(session: Session, actor: Principal, provider_id: str, recipient_id: str) -> None:
    """Tell a recipient nothing any more; the links it was sent end with that."""
    queries.must_act_for(actor, provider_id)
    known = queries.recipient(session, provider_id, recipient_id)
    if known is None:
        raise NotFound("recipient")
    session.delete(known)
    erasure.forget(session, recipient_id)


def unsubscribe(session: Session, registration_id: str) -> None:
    """The same by the link in a message; a second click finds nothing to do."""
    known = session.get(Recipient, registration_id)
    if known is not None:
        session.delete(known)
        erasure.forget(session, known.recipient_id)
