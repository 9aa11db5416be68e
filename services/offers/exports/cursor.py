"""The cursor of a list of changes: an instant, and the last thing seen at it."""

import base64
import binascii
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from libs.httpkit.params import UtcInstant
from libs.servicekit.errors import FieldError, Invalid
from libs.servicekit.values import is_clean

_MOMENT: TypeAdapter[datetime] = TypeAdapter(UtcInstant)


def parse(since: str) -> tuple[datetime, str]:
    """What a caller has seen: an instant of his own, or `next` of the answer before; Invalid otherwise."""
    moment, after = since, ""
    if since.startswith("c"):
        try:
            moment, _, after = base64.urlsafe_b64decode(since[1:].encode()).decode("ascii").partition(" ")
        except (ValueError, binascii.Error):
            raise _unusable() from None
    if not is_clean(after):
        raise _unusable()
    try:
        # An unescaped plus sign of a time zone arrives as a space.
        return _MOMENT.validate_python(moment.replace(" ", "+")), after
    except ValidationError:
        raise _unusable() from None


def write(moment: datetime, after: str) -> str:
    """The cursor behind a thing."""
    text = f"{moment.isoformat()} {after}"
    return "c" + base64.urlsafe_b64encode(text.encode()).decode()


def _unusable() -> Exception:
    return Invalid(FieldError(field="since", reason="is neither an instant nor a cursor of this list"))
