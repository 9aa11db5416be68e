"""What is set for notify beside the settings all services share."""

from functools import lru_cache
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.servicekit.secret import secret
from libs.servicekit.settings import Settings
from services.notify.vapid import vapid_key
from services.notify.vault import Vault

SMTP_URL = r"^smtps?://[^\s/?#]+(\?tls=(required|opportunistic|none))?$"


class NotifySettings(BaseSettings):
    """Read from the environment as `COBURG_…`."""

    model_config = SettingsConfigDict(env_prefix="COBURG_", extra="ignore", hide_input_in_errors=True)

    smtp_url: str = Field(
        "",
        pattern=rf"({SMTP_URL})|^$",
        description="smtp://user:password@host:587 (STARTTLS required unless ?tls=… says otherwise) or smtps://…:465; "
        "empty: messages wait.",
    )
    smtp_ca: str = Field("", description="File with the CA of an SMTP server that no public one knows (PEM).")
    mail_from: str = Field("", max_length=254, description="Sender; default: noreply@ the town's domain.")
    mail_connections: int = Field(4, ge=1, le=50, description="Open at once to the SMTP server.")
    mail_rate: str = Field("60/minute", description="Mails per receiving domain; empty switches it off.")
    webhook_targets: Literal["public", "any"] = Field(
        "public",
        description="`any` also allows http and addresses of this machine: for a stack of one's own.",
    )
    notify_address_keys: str = Field(
        "",
        description="Texts of 32 characters or more that addresses are encrypted with, newest first, separated by commas.",
    )
    notify_mark_key: str = Field("", description="What addresses are recognised by; never changes.")
    notify_coalesce_seconds: int = Field(
        1800, ge=0, le=86_400, description="Changes of one thing within this time are one message."
    )
    notify_vapid_key: str = Field(
        "",
        description="What push messages are signed with: any text of 32 characters or more; never changes.",
    )
    notify_streams: int = Field(
        5000, ge=0, le=100_000, description="Open event streams at once, per process."
    )
    notify_streams_each: int = Field(
        50, ge=1, le=100_000, description="Open event streams at once of one client address, per process."
    )
    notify_confirm_seconds: float = Field(
        4.0, ge=0, le=600, description="How long a confirmation waits so that it can say what waits for it."
    )

    @property
    def smtp(self) -> SplitResult | None:
        """The SMTP server's address in its parts; None where there is none."""
        return urlsplit(self.smtp_url) if self.smtp_url else None


@lru_cache(maxsize=1)
def own_settings() -> NotifySettings:
    """What is set for notify, read once per process."""
    return NotifySettings()


def vault_of(settings: Settings) -> Vault:
    """What seals addresses: keys from the environment, else files under the home, made on first use."""
    own = own_settings()
    folder = settings.home / "keys"
    keys = own.notify_address_keys or secret(folder / "notify-addresses")
    mark = own.notify_mark_key or secret(folder / "notify-marks")
    return _vault(keys, mark)


@lru_cache(maxsize=4)
def _vault(keys: str, mark: str) -> Vault:
    return Vault(keys.replace(",", " ").split(), mark)


def vapid_of(settings: Settings) -> EllipticCurvePrivateKey:
    """The key that push services know the town by: from the environment, else a file under the home, made on first use."""
    return _vapid(own_settings().notify_vapid_key or secret(settings.home / "keys" / "notify-vapid"))


@lru_cache(maxsize=4)
def _vapid(text: str) -> EllipticCurvePrivateKey:
    return vapid_key(text)
