"""Organisations."""

revision = "offers_0007"
down_revision = "offers_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
