"""What mail servers report of mails that could not be delivered, or that somebody complained about.

A report's bytes enter (RFC 3464 delivery status, RFC 5965 abuse report), the addresses that nothing may be sent to
any more leave, each with the reason. What was only delayed is no reason.
"""

import email
from collections.abc import Iterator
from email.message import Message
from email.policy import default
from typing import NamedTuple


class Complaint(NamedTuple):
    """An address and why it is not to be written to: `bounced` or `complained`."""

    address: str
    reason: str


def complaints(report: bytes) -> list[Complaint]:
    """Every address that a report speaks of for good."""
    message = email.message_from_bytes(report, policy=default)
    return [found for part in message.walk() for found in _of_part(part)]


def _of_part(part: Message) -> Iterator[Complaint]:
    kind = part.get_content_type()
    if kind == "message/delivery-status":
        yield from _bounced(part)
    elif kind == "message/feedback-report":
        yield from _complained(part)


def _bounced(part: Message) -> Iterator[Complaint]:
    for fields in _groups(part):
        failed = str(fields.get("Action", "")).strip().lower() == "failed"
        lasting = str(fields.get("Status", "")).strip().startswith("5")
        address = _address(fields.get("Final-Recipient") or fields.get("Original-Recipient"))
        if failed and lasting and address:
            yield Complaint(address, "bounced")


def _complained(part: Message) -> Iterator[Complaint]:
    for fields in _groups(part):
        address = _address(fields.get("Original-Rcpt-To"))
        if address:
            yield Complaint(address, "complained")


def _groups(part: Message) -> list[Message]:
    # The parser makes a message of each group of fields of a delivery status; of a feedback report it keeps the text.
    content = part.get_payload()
    if isinstance(content, list):
        return [group for group in content if isinstance(group, Message)]
    return [email.message_from_string(str(content), policy=default)]


def _address(field: object) -> str:
    return str(field or "").rpartition(";")[2].strip().strip("<>")
