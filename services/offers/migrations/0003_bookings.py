"""Bookings."""

revision = "offers_0003"
down_revision = "offers_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
