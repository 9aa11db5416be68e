"""Allocation: periods, what there is to wish for, families' wish lists, their children."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0005"
down_revision = "offers_0004"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "allocation_period",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        _instant("wishes_from"),
        _instant("wishes_until"),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(500)),
        sa.Column("erase_on", sa.Date(), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        _instant("changed_at"),
    )
    op.create_index("allocation_period_board", "allocation_period", ["board", "id"])
    op.create_index("allocation_period_status", "allocation_period", ["status"])
    op.create_index("allocation_period_erase", "allocation_period", ["erased", "erase_on"])
    op.create_table(
        "allocation_activity",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "period_id", sa.String(36), sa.ForeignKey("allocation_period.id"), nullable=False, index=True
        ),
        sa.Column("slot", sa.String(40), nullable=False),
        sa.Column("offer_id", sa.String(36), sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("session_id", sa.String(36)),
        sa.Column("provider_id", sa.String(36)),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("from_months", sa.Integer()),
        sa.Column("to_months", sa.Integer()),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("places", "wished", "first", "placed")),
    )
    op.create_table(
        "allocation_wishlist",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "period_id", sa.String(36), sa.ForeignKey("allocation_period.id"), nullable=False, index=True
        ),
        sa.Column("recipient_id", sa.String(64), nullable=False),
        sa.Column("group", sa.String(40)),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("changed_at"),
    )
    op.create_index("allocation_wishlist_group", "allocation_wishlist", ["period_id", "group"])
    op.create_table(
        "allocation_child",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "wishlist_id", sa.String(36), sa.ForeignKey("allocation_wishlist.id"), nullable=False, index=True
        ),
        sa.Column("period_id", sa.String(36), sa.ForeignKey("allocation_period.id"), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("born", sa.String(7), nullable=False),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.Column("confirmed", sa.JSON(), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("placed", sa.Integer()),
        sa.Column("missed", sa.Integer()),
        sa.Column("booked", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_index("allocation_child_period", "allocation_child", ["period_id", "id"])
    op.create_index("allocation_child_unbooked", "allocation_child", ["booked", "placed"])
