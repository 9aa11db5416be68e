"""Organisations: who acts for a provider, who is written to, what it proposes, and what others write to it."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0007"
down_revision = "offers_0006"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _provider() -> sa.Column:
    return sa.Column("provider_id", sa.String(36), sa.ForeignKey("provider.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "organisation_recipient",
        sa.Column("id", sa.String(36), primary_key=True),
        _provider(),
        sa.Column("recipient_id", sa.String(64), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        _instant("created_at"),
        sa.UniqueConstraint("provider_id", "recipient_id"),
    )
