"""Needs."""

revision = "offers_0009"
down_revision = "offers_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
