"""Values that requests, files and rows are made of: clean strings, days, instants, strict models. Pydantic and the card's texts only."""

import json
import re
from contextlib import suppress
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from libs.contracts.card import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def is_clean(value: str) -> bool:
    """Whether databases and terminals can hold the text: no control characters, no halves of characters."""
    return _CONTROL.search(value) is None


def _clean(value: str) -> str:
    if not is_clean(value):
        raise ValueError("control characters are not allowed")
    return value


CleanStr = Annotated[str, AfterValidator(_clean)]


def _as_json_writes(kind: Any) -> BeforeValidator:
    # Strict models take dates as JSON has them only from JSON itself; FastAPI hands over Python's strings.
    adapter = TypeAdapter(kind)

    def read(value: Any) -> Any:
        if isinstance(value, str):
            with suppress(ValidationError):
                return adapter.validate_json(json.dumps(value), strict=True)
        return value

    return BeforeValidator(read)


Day = Annotated[date, _as_json_writes(date)]
Instant = Annotated[AwareDatetime, _as_json_writes(AwareDatetime)]
# With a zone, or without one where the reader knows which is meant; `date-time` would promise a zone (RFC 3339).
Moment = Annotated[
    datetime,
    _as_json_writes(datetime),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?$",
            "description": "An instant (RFC 3339), or without a zone the town's local time.",
            "examples": ["2027-01-12T16:00"],
        },
        mode="validation",
    ),
]


def _said(value: Text) -> Text:
    if not any(text.strip() for text in value.values()):
        raise ValueError("needs a text in at least one language")
    return value


Said = Annotated[Text, AfterValidator(_said)]


class Body(BaseModel):
    """A request body: strict types, no unknown fields. Free text in it is typed by `libs.contracts.card`."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
