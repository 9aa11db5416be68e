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
    op.create_table(
        "slot_use",
        sa.Column("resource_id", sa.String(36), sa.ForeignKey("offer.id"), primary_key=True),
        sa.Column("quarter", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0"),
    )
    op.create_table(
        "booking_terms",
        sa.Column("offer_id", sa.String(36), sa.ForeignKey("offer.id"), primary_key=True),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), nullable=False),
        sa.Column("offer_id", sa.String(36), sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("recipient_id", sa.String(64)),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("form", sa.JSON()),
        sa.Column("slotted", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        *(
            _instant(name, nullable=True)
            for name in ("starts_at", "ends_at", "deadline_at", "queued_at", "forget_at")
        ),
        sa.Column("overtaken", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at"),
        _instant("changed_at"),
    )
    op.create_index("booking_of_offer", "booking", ["offer_id", "status", "queued_at"])
    op.create_index("booking_of_recipient", "booking", ["recipient_id", "board"])
    op.create_index("booking_due", "booking", ["status", "deadline_at"])
    op.create_index("booking_forgotten", "booking", ["forget_at"])
    op.create_table(
        "booking_date",
        sa.Column("booking_id", sa.String(36), sa.ForeignKey("booking.id"), primary_key=True),
        sa.Column("stock_id", sa.String(36), primary_key=True, index=True),
    )
