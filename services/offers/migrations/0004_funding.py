"""Budgets, grants and their ledger."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0004"
down_revision = "offers_0003"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _cents(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("board", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("period", sa.String(7), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        *_cents("amount_cents", "reserved_cents", "granted_cents"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("situation", sa.String(8), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("told", sa.JSON()),
        _instant("told_at", nullable=True),
        _instant("changed_at"),
        sa.UniqueConstraint("board", "period"),
        sa.CheckConstraint(
            "reserved_cents >= 0 AND granted_cents >= 0 AND reserved_cents + granted_cents <= amount_cents",
            name="budget_not_overdrawn",
        ),
    )
    op.create_table(
        "budget_grant",
        sa.Column("booking_id", sa.String(64), primary_key=True),
        sa.Column("budget_id", sa.String(64), sa.ForeignKey("budget.id"), nullable=False),
        sa.Column("group_key", sa.String(64)),
        sa.Column("state", sa.String(8), nullable=False),
        *_cents("wanted_cents", "cents"),
        sa.Column("made_on", sa.Date(), nullable=False),
        _instant("changed_at"),
    )
    op.create_index("budget_grant_days", "budget_grant", ["budget_id", "state", "made_on"])
    op.create_index("budget_grant_groups", "budget_grant", ["budget_id", "group_key"])
    op.create_table(
        "budget_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("budget_id", sa.String(64), sa.ForeignKey("budget.id"), nullable=False),
        _instant("at"),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("booking_id", sa.String(64)),
        *_cents("cents", "amount_cents", "reserved_cents", "granted_cents"),
        sa.Column("actor", sa.String(200)),
        sa.Column("reason", sa.String(500)),
    )
    op.create_index("budget_entry_order", "budget_entry", ["budget_id", "id"])
