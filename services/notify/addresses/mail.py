"""Mail addresses as people type them: text enters, an address that can be sent to leaves.

Syntax by RFC 5321 and 6531 and the domain by IDNA, through the library email-validator; nothing is looked up.
"""

from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254


class InvalidAddress(ValueError):  # noqa: N818 - the state of a text
    """It is no mail address; the text says why."""


def address_of(text: str) -> str:
    """The address with its domain in ASCII; raises InvalidAddress."""
    try:
        found = validate_email(text.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddress(str(error)) from None
    return f"{found.local_part}@{found.ascii_domain}"


def same(address: str) -> str:
    """What two spellings of one mailbox have in common; servers that tell upper from lower case do not exist."""
    return address.casefold()


def domain_of(address: str) -> str:
    """The part behind the @."""
    return address.rpartition("@")[2].lower()
