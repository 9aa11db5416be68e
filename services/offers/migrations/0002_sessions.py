"""Sessions."""

revision = "offers_0002"
down_revision = "offers_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
