"""Funding."""

revision = "offers_0004"
down_revision = "offers_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
