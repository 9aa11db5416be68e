"""A typed template in the outbox, as notify will read it."""

from sqlalchemy import select

from libs.contracts import messages as catalogue
from libs.contracts.event import Envelope
from libs.contracts.notify import MessageRequested, Subject
from libs.servicekit import messages
from libs.servicekit.db import Database
from libs.servicekit.tables import outbox


def test_a_message_is_asked_for_with_its_transaction(db: Database) -> None:
    asked = catalogue.ContactAnswered(conversation="c1", token="opens-it")
    with db.transaction() as session:
        messages.request(session, "r1", asked, Subject(kind="offer", id="o1"))
    with db.reading() as session:
        body = session.execute(select(outbox.c.body).order_by(outbox.c.id.desc())).scalars().first()
    fact = Envelope[MessageRequested].model_validate_json(body or b"").data
    assert (fact.recipient_id, fact.template) == ("r1", "contact-answered")
    assert catalogue.read(fact.template, dict(fact.facts)) == asked
