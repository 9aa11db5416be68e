"""Settings of a service, from the environment (`COBURG_*`) and the town's `city.toml`."""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.servicekit.portal import Portal


class ServiceSettings(BaseSettings):
    """What is set per service, as `COBURG_<SERVICE>_…`."""

    model_config = SettingsConfigDict(extra="ignore")

    database_url: str | None = None
    public_url: str | None = None
    link_key: str | None = Field(
        None, description="What signed links are signed with; at least 32 characters."
    )
    recipient_key: str | None = Field(
        None, description="What recipients' proofs are signed with, notify's alone; at least 32 characters."
    )


class Settings(BaseSettings):
    """What all services share, as `COBURG_…`; make it with `Settings.load`."""

    model_config = SettingsConfigDict(env_prefix="COBURG_", extra="ignore")

    service: str
    own: ServiceSettings
    home: Path = Path(".local")
    city: Path = Path("city")
    nats_url: str = "nats://127.0.0.1:4222"
    oidc_issuer: str = "https://coburg.local"
    oidc_audience: str = "coburg"
    oidc_jwks: str = ""
    oidc_roles_claim: str = "roles"
    recipient_proof: Literal["required", "off"] = Field(
        "required",
        description="Whether a recipient id counts only with the proof that notify gave out with it.",
    )
    recipient_jwks: str = ""
    portal_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="Where people see things: an address, with {kind} and {id} or continued by them.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses and networks of proxies, separated by commas, whose X-Forwarded-For counts.",
    )
    metrics_token: str = Field(
        "",
        description="What asks for /metrics shows as a bearer token; without it only this machine may ask.",
    )
    cors_origins: str = ""
    rate_limit: str = Field(
        "100/second", description="Per client, in the notation of `limits`; empty switches it off."
    )
    max_body_bytes: int = Field(1024 * 1024, gt=0)
    traces: Path | None = None
    log_format: str = "json"

    @classmethod
    def load(cls, service: str) -> "Settings":
        """Read the environment of one service; raises pydantic.ValidationError naming what is wrong."""
        own = ServiceSettings(_env_prefix=f"COBURG_{service.upper()}_")
        return cls(service=service, own=own)

    @property
    def database_url(self) -> str:
        """SQLite below `home` unless a URL is set."""
        return self.own.database_url or f"sqlite:///{self.home / f'{self.service}.db'}"

    @property
    def public_url(self) -> str:
        """Where front ends reach this service; links in events start with it."""
        return (self.own.public_url or "http://localhost").rstrip("/")

    @property
    def portal(self) -> Portal:
        """Where things have their pages; links for people start with it."""
        return Portal(self.portal_url)

    @property
    def jwks(self) -> str:
        """URL or path of the keys that access tokens are signed with."""
        return self.oidc_jwks or str(self.home / "keys" / "jwks.json")

    @property
    def recipient_keys(self) -> str:
        """URL or path of the keys that recipients' proofs are signed with."""
        return self.recipient_jwks or str(self.home / "keys" / "recipients.jwks.json")

    @cached_property
    def town(self) -> dict[str, Any]:
        """The town's `city.toml`; FileNotFoundError when `COBURG_CITY` points elsewhere."""
        return tomllib.loads((self.city / "city.toml").read_text(encoding="utf-8"))
