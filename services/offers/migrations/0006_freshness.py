"""Freshness: when and by whom an offer was last checked, and how far it has aged since."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0006"
down_revision = "offers_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("offer", sa.Column("stage", sa.String(8), nullable=False, server_default="fresh"))
    op.add_column("offer", sa.Column("checked_on", sa.Date()))
    op.add_column("offer", sa.Column("checked_as", sa.String(8)))
    op.add_column("offer", sa.Column("fresh_since", sa.DateTime(timezone=True)))
    op.execute("UPDATE offer SET fresh_since = changed_at WHERE status = 'published'")
    op.create_index("offer_age", "offer", ["board", "status", "stage", "fresh_since"])
