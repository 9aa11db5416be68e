"""What changed since is read in its own order."""

from alembic import op

revision = "offers_0010"
down_revision = "offers_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("offer_changed", "offer", ["changed_at", "id"])
    op.create_index("provider_changed", "provider", ["changed_at", "id"])
