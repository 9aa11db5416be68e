"""HTTP edge of members: who acts for a provider, and who is told of what concerns it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from libs.contracts.event import THING_ID
from libs.httpkit.auth import Anyone, require
from libs.httpkit.idempotency import Idempotency
from libs.httpkit.links import LinkToken, Signing
from libs.httpkit.pagination import Items
from libs.httpkit.params import Id, ThingId
from libs.httpkit.preconditions import IfMatch, etag
from libs.httpkit.rate_limit import rate_limited
from libs.httpkit.recipients import Proven
from libs.httpkit.transactions import Reading, Transaction
from libs.selfservice.edge import Own
from libs.selfservice.members import commands, queries
from libs.selfservice.members.domain import Role, Topic
from libs.selfservice.members.models import Invitation, Member, Recipient
from libs.servicekit.errors import Unauthenticated
from libs.servicekit.principal import Principal
from libs.servicekit.values import Body

router = APIRouter(prefix="/v1", tags=["organisations"])
Actor = Annotated[Principal, require("editor", "provider")]
RecipientId = Annotated[str, Field(pattern=THING_ID, description="As notify gave it out for an address.")]

MemberRole = Annotated[Role, Field(strict=False)]


class Registration(Body):
    """Who is to be told, and of what."""

    recipient_id: RecipientId
    topics: list[Annotated[Topic, Field(strict=False)]] = Field(
        default=list(Topic), min_length=1, max_length=len(Topic)
    )


class RegistrationView(Registration):
    """A registered recipient."""

    created_at: datetime


class NewInvitation(Body):
    """Who is to become a member, and as what."""

    recipient_id: RecipientId
    role: MemberRole = Role.MEMBER


class InvitationView(NewInvitation):
    """An open invitation; its link is only in the message."""

    id: str
    expires_at: datetime


class NewRole(Body):
    """What a member is to be."""

    role: MemberRole


class MemberView(NewRole):
    """A member; `subject` is what the identity provider calls them."""

    id: str
    provider_id: str
    subject: str
    version: int
    joined_at: datetime


def shown(member: Member) -> MemberView:
    """The member as the API shows it."""
    return MemberView(role=Role(member.role), **member.model_dump(exclude={"role", "recipient_id"}))


def invited(invitation: Invitation) -> InvitationView:
    """The invitation as the API shows it."""
    plain = invitation.model_dump(include={"id", "recipient_id", "expires_at"})
    return InvitationView(role=Role(invitation.role), **plain)


def registered(recipient: Recipient) -> RegistrationView:
    """The recipient as the API shows it."""
    topics = [Topic(topic) for topic in recipient.topics]
    return RegistrationView(
        recipient_id=recipient.recipient_id, topics=topics, created_at=recipient.created_at
    )


@router.get("/providers/{provider_id}/members")
def list_members(provider_id: Id, caller: Actor, session: Reading) -> Items[MemberView]:
    """Who acts for the organisation."""
    queries.must_act_for(caller, provider_id)
    return Items(items=[shown(row) for row in queries.members(session, provider_id)])


@router.put("/providers/{provider_id}/members/{member_id}")
def change_member(
    provider_id: Id,
    member_id: Id,
    body: NewRole,
    caller: Actor,
    own: Own,
    expected: IfMatch,
    session: Transaction,
    response: Response,
) -> MemberView:
    """Make a member a manager, or the other way round."""
    member = commands.change_role(session, own.hold, caller, provider_id, member_id, expected, body.role)
    response.headers.update(etag(member.version))
    return shown(member)


@router.delete("/providers/{provider_id}/members/{member_id}", status_code=204)
def remove_member(
    provider_id: Id, member_id: Id, caller: Actor, own: Own, expected: IfMatch, session: Transaction
) -> None:
    """End a membership; the last manager stays."""
    commands.remove(session, own.hold, caller, provider_id, member_id, expected)


@router.get("/providers/{provider_id}/invitations")
def list_invitations(provider_id: Id, caller: Actor, session: Reading) -> Items[InvitationView]:
    """The invitations that are still open."""
    queries.must_manage(session, caller, provider_id)
    return Items(items=[invited(row) for row in queries.invitations(session, provider_id)])


@router.post("/providers/{provider_id}/invitations", status_code=201, response_model=InvitationView)
def invite_member(
    provider_id: Id,
    body: NewInvitation,
    caller: Actor,
    own: Own,
    links: Signing,
    session: Transaction,
    idempotency: Idempotency,
) -> Response:
    """Have somebody sent a link that makes them a member."""
    invitation = commands.invite(session, own.hold, caller, provider_id, body.recipient_id, body.role, links)
    return idempotency.answer(invited(invitation), 201, {})


@router.delete("/providers/{provider_id}/invitations/{invitation_id}", status_code=204)
def revoke_invitation(provider_id: Id, invitation_id: Id, caller: Actor, session: Transaction) -> None:
    """Take an invitation back."""
    commands.revoke(session, caller, provider_id, invitation_id)


@router.post("/invitations/accept", status_code=201, dependencies=[rate_limited()])
def accept_invitation(
    links: Signing,
    caller: Anyone,
    own: Own,
    session: Transaction,
    response: Response,
    token: LinkToken = None,
) -> MemberView:
    """Become a member: with the link of the invitation, and an access token of whatever role that says who you are."""
    invitation_id = links.read("invitation", token)
    if caller is None:
        raise Unauthenticated("This also needs an access token.")
    member = commands.accept(session, own.hold, caller, invitation_id)
    response.headers.update(etag(member.version))
    return shown(member)


@router.get("/providers/{provider_id}/recipients")
def list_recipients(provider_id: Id, caller: Actor, session: Reading) -> Items[RegistrationView]:
    """Who is told of what concerns the organisation."""
    queries.must_act_for(caller, provider_id)
    return Items(items=[registered(row) for row in queries.recipients(session, provider_id)])


@router.post("/providers/{provider_id}/recipients", status_code=201, response_model=RegistrationView)
def register_recipient(
    provider_id: Id,
    body: Registration,
    proof: Proven,
    caller: Actor,
    own: Own,
    session: Transaction,
    idempotency: Idempotency,
) -> Response:
    """Ask to be told; registering again replaces the topics."""
    proof.check(body.recipient_id)
    known = commands.register(session, own.hold, caller, provider_id, body.recipient_id, body.topics)
    return idempotency.answer(registered(known), 201, {})


@router.delete("/providers/{provider_id}/recipients/{recipient_id}", status_code=204)
def unregister_recipient(provider_id: Id, recipient_id: ThingId, caller: Actor, session: Transaction) -> None:
    """Be told nothing any more."""
    commands.unregister(session, caller, provider_id, recipient_id)


@router.post("/unsubscribe", status_code=204, dependencies=[rate_limited()])
def unsubscribe(session: Transaction, links: Signing, token: LinkToken = None) -> None:
    """The same with the link in a message, without an account."""
    commands.unsubscribe(session, links.read("reminder", token))
