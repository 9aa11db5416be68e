"""Allocation."""

revision = "offers_0005"
down_revision = "offers_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
