"""Asking notify for a message: a typed template enters the outbox beside the rows that it speaks of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session
from uuid_utils import uuid7

from libs.contracts.messages import Template
from libs.contracts.notify import MessageRequested, Occasion, Subject
from libs.servicekit import outbox
from libs.servicekit.outbox import Entry
from libs.telemetry import spans


def request(
    session: Session,
    recipient_id: str,
    template: Template,
    about: Subject,
    *,
    dates: Sequence[Occasion] = (),
    send_before: datetime | None = None,
) -> None:
    """Ask for one message with the caller's transaction."""
    asked = entry(recipient_id, template, about, dates=dates, send_before=send_before)
    outbox.add_all(session, [replace(asked, traceparent=spans.traceparent())])


def entry(
    recipient_id: str,
    template: Template,
    about: Subject,
    *,
    dates: Sequence[Occasion] = (),
    send_before: datetime | None = None,
) -> Entry:
    """A message on its way into the outbox, for those who ask for many at once; part of no trace."""
    fact = MessageRequested(
        recipient_id=recipient_id,
        template=template.name,
        about=about,
        facts=template.facts(),
        dates=list(dates),
        send_before=send_before,
    )
    return Entry(fact, str(uuid7()), 1)
