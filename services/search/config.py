"""What is set for search beside the settings all services share."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SearchSettings(BaseSettings):
    """Read from the environment as `COBURG_…`."""

    model_config = SettingsConfigDict(env_prefix="COBURG_", extra="ignore")

    meilisearch_url: str = Field("http://127.0.0.1:7700", pattern=r"^https?://[^/]+/?$")
    meilisearch_key: str = ""
    search_index: str = Field(
        "cards", pattern=r"^[a-z0-9-]{1,40}$", description="Prefix of every index we own."
    )
    search_indexing: bool = Field(True, description="False for a replica that only answers.")
    meilisearch_public_url: str = Field(
        "", pattern=r"^(https?://[^\s?#]+)?$", description="Where front ends reach it; empty: they do not."
    )
    search_token_seconds: int = Field(
        900, ge=10, le=86_400, description="How long a front end's token lives."
    )
    search_page: str = Field(
        "", max_length=500, description="A front end's page of results, with {searchTerms}; for OpenSearch."
    )
    search_asker_key: str | None = Field(
        None, min_length=32, description="What askers are marked with, the same in every process."
    )
    search_feedback_limit: str = Field("20/minute", description="Ratings per client; empty switches it off.")
