"""What the API takes and shows of recipients."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from libs.contracts.card import Language
from libs.servicekit.values import Body, CleanStr
from services.notify.addresses.domain import QuietHours
from services.notify.addresses.models import Recipient
from services.notify.subscriptions.views import SubscriptionView

ZONES = available_timezones()


def _zone(name: str) -> str:
    if name not in ZONES:
        raise ValueError("is no time zone of the IANA database, such as Europe/Berlin")
    return name


TimeZone = Annotated[CleanStr, Field(max_length=60), AfterValidator(_zone)]


class PushKeys(Body):
    """The keys of a browser's push subscription, as its `toJSON()` gives them (base64url)."""

    p256dh: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{80,100}=?$")]
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,30}={0,2}$")]


class PushSubscription(Body):
    """A browser's push subscription (W3C Push API)."""

    endpoint: Annotated[CleanStr, Field(max_length=1000, pattern=r"^https?://\S+$")]
    keys: PushKeys


class NewRecipient(Body):
    """Who is to be reached: `address` with channel `mail`, `subscription` with channel `push`."""

    channel: Literal["mail", "push"] = "mail"
    address: Annotated[CleanStr, Field(min_length=3, max_length=254)] | None = None
    subscription: PushSubscription | None = None
    language: Language = "de"
    timezone: TimeZone | None = None
    quiet: QuietHours | None = None


class RecipientSettings(Body):
    """What a recipient may change."""

    language: Language
    timezone: TimeZone
    quiet: QuietHours | None = None


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, Any]]


class Registered(BaseModel):
    """A new recipient. `token` opens it here (`Link-Token`) and proves its id elsewhere (`Recipient-Token`)."""

    id: str
    token: str
    status: str


class RecipientView(BaseModel):
    """A recipient, as who holds its token sees it."""

    id: str
    channel: str
    status: str
    language: str
    timezone: str
    quiet: QuietHours | None
    version: int
    created_at: datetime
    confirmed_at: datetime | None
    token: str | None = Field(
        default=None,
        description="When read with its token: a fresh one, which of a confirmed address also says whom caps count.",
    )

    @classmethod
    def of(cls, row: Recipient, token: str | None = None) -> "RecipientView":
        """The view of a row."""
        return cls.model_validate(row.model_dump() | {"quiet": row.quiet_hours, "token": token}, strict=False)


class Confirmation(Body):
    """The code that stood in the mail; case and dashes do not matter."""

    code: Annotated[CleanStr, Field(min_length=1, max_length=40)]


class DeliveryView(BaseModel):
    """A message to this recipient and what became of it; its content only while it waits."""

    id: str
    template: str
    fact_id: str
    status: str
    reason: str | None
    created_at: datetime
    ended_at: datetime | None
    content: dict[str, Any] | None = None


class Export(BaseModel):
    """Everything that is kept of a recipient (GDPR, Art. 15 and 20)."""

    recipient: RecipientView
    address: str
    proof: dict[str, Any] | None
    subscriptions: list[SubscriptionView]
    deliveries: list[DeliveryView]


def zone_of(name: str | None, town: str) -> str:
    """The recipient's zone, else the town's."""
    return str(ZoneInfo(name or town))
