"""Sessions."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0002"
down_revision = "offers_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "offer_session",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("offer_id", sa.String(36), sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("series_id", sa.String(36)),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("venue", sa.JSON()),
        sa.Column("places_max", sa.Integer()),
        sa.Column("reason", sa.String(500)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("offer_session_dates", "offer_session", ["offer_id", "starts_at", "id"])
    op.create_index("offer_session_ended", "offer_session", ["over", "ends_at"])
