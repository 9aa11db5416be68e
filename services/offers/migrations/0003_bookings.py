"""Places and bookings."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0003"
down_revision = "offers_0002"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "place_stock",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("offer_id", sa.String(36), sa.ForeignKey("offer.id"), nullable=False, index=True),
        sa.Column("unit", sa.String(40), nullable=False),
        sa.Column("max", sa.Integer()),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("stated_free", sa.Integer()),
        _instant("as_of"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0"),
        sa.CheckConstraint("stated_free >= 0"),
    )
