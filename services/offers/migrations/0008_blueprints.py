"""Blueprints."""

revision = "offers_0008"
down_revision = "offers_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
