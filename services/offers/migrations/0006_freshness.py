"""Freshness."""

revision = "offers_0006"
down_revision = "offers_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
