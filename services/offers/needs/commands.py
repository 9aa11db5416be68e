"""What is done with unmet needs: noted whenever somebody goes away empty-handed, told once enough did."""

from datetime import date
from typing import Any

from sqlalchemy import delete, exists, or_
from sqlmodel import Session, col, select
from uuid_utils import uuid7

from libs.contracts import offers as events
from libs.contracts.messages import NeedObserved
from libs.contracts.notify import Subject
from libs.contracts.offers import NeedKind
from libs.selfservice.members import queries as organisations
from libs.selfservice.members.domain import Topic
from libs.servicekit import messages, outbox
from libs.servicekit.batches import each_apart
from libs.servicekit.db import insert_into
from services.offers.needs import queries
from services.offers.needs.domain import NeedRules, is_due, is_settled, key_of, stranger, wording
from services.offers.needs.models import Need, NeedMark

AT_ONCE = 200
MOST_CHARACTERS = 200


def note_search(session: Session, board: str | None, words: list[str], who: str, on: date) -> None:
    """Somebody searched for these words of the town's vocabulary and found nothing."""
    found = wording(words)
    if found is not None:
        kind = NeedKind.UNANSWERED
        _note(session, who, on, board=board or "", kind=kind, key=key_of(found), words=found)


def note_offer(
    session: Session, board: str, kind: NeedKind, offer_id: str, recipient_id: str, on: date
) -> None:
    """Somebody was refused at an offer, or waits for its places."""
    who = stranger(recipient_id, offer_id)
    _note(session, who, on, board=board, kind=kind, key=offer_id, words=[], offer_id=offer_id)


def _note(session: Session, who: str, on: date, **need: Any) -> None:
    new = {"id": str(uuid7()), "told": 0, "version": 0, "stirred": True, "since": on, "latest": on} | need
    unique = ["board", "kind", "key"]
    again = {"stirred": True, "latest": on}
    upsert = insert_into(session, Need).values(new)
    upsert = upsert.on_conflict_do_update(index_elements=unique, set_=again)
    need_id = session.execute(upsert.returning(col(Need.id))).scalar_one()
    mark = insert_into(session, NeedMark).values(need_id=need_id, who=who, on=on)
    session.execute(mark.on_conflict_do_update(index_elements=["need_id", "who"], set_={"on": on}))


def observe(session: Session, rules: NeedRules, today: date) -> int:
    """Look at needs that stirred, and once a day at those that are public; returns how many, at most `AT_ONCE`."""
    public = (col(Need.told) > 0) & or_(col(Need.looked_on).is_(None), col(Need.looked_on) < today)
    query = select(Need).where(or_(col(Need.stirred), public)).order_by(Need.id).limit(AT_ONCE)
    needs = session.exec(query.with_for_update(skip_locked=True)).all()
    return each_apart(session, "offers.needs", needs, lambda need: _look_at(session, need, rules, today))


def _look_at(session: Session, need: Need, rules: NeedRules, today: date) -> None:
    asking = queries.asking(session, need, rules.since(today))
    if is_due(asking, need.told, rules):
        _tell(session, need, events.NeedObserved, asking, rules)
        if not need.told:
            _put_before(session, need, asking)
        need.told = asking
    elif is_settled(asking, need.told, rules):
        _tell(session, need, events.NeedSettled, asking, rules)
        need.told = 0
    need.stirred, need.looked_on = False, today
    session.add(need)


def _tell(session: Session, need: Need, kind: type[events.NeedFact], asking: int, rules: NeedRules) -> None:
    need.version += 1
    fact = kind(
        board=need.board or None,
        kind=NeedKind(need.kind),
        words=need.words,
        offer_id=need.offer_id,
        asking=asking if kind is events.NeedObserved else None,
        since=need.since,
        latest=need.latest,
        window_days=rules.window_days,
    )
    outbox.add(session, fact, thing_id=need.id, version=need.version)


def _put_before(session: Session, need: Need, asking: int) -> None:
    """Ask for a message to everybody whom an organisation of the board registered for needs; to nobody twice."""
    registered = organisations.registered(session, queries.concerned(session, need), Topic.NEEDS)
    words = ", ".join(need.words)[:MOST_CHARACTERS] or None
    observed = NeedObserved(asking=asking, how=NeedKind(need.kind).value, words=words)
    about = Subject(kind="need", id=need.id, board=need.board)
    for recipient_id in {recipient.recipient_id for recipient in registered}:
        messages.request(session, recipient_id, observed, about)


def forget(session: Session, rules: NeedRules, today: date) -> None:
    """Delete what is older than the window, and needs that nobody has any more and nobody was told of."""
    session.execute(delete(NeedMark).where(col(NeedMark.on) < rules.since(today)))
    # One that was told stays: should it come back, its version goes on.
    silent = (col(Need.version) == 0) & ~exists().where(col(NeedMark.need_id) == col(Need.id))
    session.execute(delete(Need).where(silent))
