"""What is done about freshness: check an offer; let offers age, tell the public and ask the organisation."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from sqlmodel import Session

from libs.contracts.messages import OfferCheck, OfferHidden, OffersAged
from libs.contracts.notify import Subject
from libs.contracts.offers import CheckedAs
from libs.selfservice.members import queries as organisations
from libs.selfservice.members.domain import Topic
from libs.servicekit import messages
from libs.servicekit.batches import each_apart
from libs.servicekit.errors import Conflict
from libs.servicekit.links import Links
from services.offers.boards.domain import Declaration
from services.offers.freshness import queries
from services.offers.freshness.domain import Stage, answerable_until, is_older, stage_of
from services.offers.offers import commands as offers
from services.offers.offers.domain import OfferStatus
from services.offers.offers.models import Offer

AT_ONCE = 200


def check(session: Session, offer: Offer, by: CheckedAs, today: date) -> Offer:
    """Note that somebody found an offer still right; a hidden one is public again. A second click changes nothing."""
    if offer.status not in (OfferStatus.PUBLISHED, OfferStatus.HIDDEN):
        raise Conflict(
            f"An offer that is {offer.status} is not checked.", code="offer-state", status=offer.status
        )
    before = (offer.checked_on, offer.checked_as, offer.overdue)
    offer.vouch(by, today)
    if offer.status == OfferStatus.HIDDEN:
        offers.show(session, offer)
    elif (offer.checked_on, offer.checked_as, offer.overdue) != before:
        offers.retell(session, offer)
    return offer


def age(session: Session, board: Declaration, at: datetime, links: Links) -> int:
    """Move offers of a board to the stage that their age asks for; returns how many, at most `AT_ONCE`."""
    moved = defaultdict[Stage, list[Offer]](list)

    def move(offer: Offer) -> None:
        stage = stage_of(board.freshness, offer.fresh_since or offer.changed_at, at)
        reached = stage if is_older(stage, Stage(offer.stage)) else Stage.FRESH
        _enter(session, offer, stage)
        moved[reached].append(offer)

    aged = queries.aged(session, board.slug, board.freshness, at, AT_ONCE)
    done = each_apart(session, "offers.age", aged, move)
    _ask(session, board, moved[Stage.REMINDED], OfferCheck, at, links)
    _ask(session, board, moved[Stage.HIDDEN], OfferHidden, at, links)
    return done


def _enter(session: Session, offer: Offer, stage: Stage) -> None:
    before, offer.stage = offer.overdue, stage
    if stage is Stage.HIDDEN:
        offers.hide(session, offer)
    elif offer.status == OfferStatus.HIDDEN:
        offers.show(session, offer)
    elif offer.overdue != before:
        offers.retell(session, offer)


def _ask(
    session: Session,
    board: Declaration,
    aged: Iterable[Offer],
    template: type[OffersAged],
    at: datetime,
    links: Links,
) -> None:
    """One message for each organisation and recipient, however many of its offers are concerned."""
    of_provider = defaultdict[str, list[Offer]](list)
    for offer in aged:
        of_provider[offer.provider_id or ""].append(offer)
    until = answerable_until(board.freshness, at)
    for recipient in organisations.registered(session, of_provider, Topic.REMINDERS):
        some = of_provider[recipient.provider_id]
        about = ("offer", some[0].id) if len(some) == 1 else ("provider", recipient.provider_id)
        token = links.sign("reminder", recipient.id, until)
        messages.request(
            session,
            recipient.recipient_id,
            template(offers=len(some), token=token),
            Subject(kind=about[0], id=about[1], board=board.slug),
            send_before=until,
        )
