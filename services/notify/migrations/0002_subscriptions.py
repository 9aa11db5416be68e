"""Subscriptions, what they are filed under, notices, deadlines."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0002"
down_revision = "notify_0001"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _belongs(name: str, table: str, **more: object) -> sa.Column:
    return sa.Column(
        name, sa.String(36), sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, **more
    )


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(36), primary_key=True),
        _belongs("recipient_id", "recipient", index=True),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("cadence", sa.String(8), nullable=False),
        sa.Column("name", sa.String(200)),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("since"),
        _instant("created_at"),
    )
    op.create_table(
        "subscription_anchor",
        sa.Column("name", sa.String(120), primary_key=True),
        _belongs("subscription_id", "subscription", primary_key=True, index=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscription_word",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("word", sa.String(200), nullable=False, unique=True),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.String(36), primary_key=True),
        _belongs("subscription_id", "subscription", index=True),
        _belongs("recipient_id", "recipient"),
        sa.Column("thing_key", sa.String(200), nullable=False),
        sa.Column("fact_id", sa.String(64), nullable=False),
        sa.Column("change", sa.String(12), nullable=False),
        _instant("at"),
        _instant("due_at"),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("delivery_id", sa.String(36), index=True),
        _instant("told_at", nullable=True),
        sa.Column("traceparent", sa.String(55)),
        # Whatever crashes and however many subscriptions match: a fact is told to a recipient once.
        sa.UniqueConstraint("recipient_id", "fact_id", name="notice_once"),
    )
    op.create_index("notice_due", "notice", ["status", "due_at"])
    op.create_index("notice_thing", "notice", ["thing_key", "recipient_id"])
    op.create_table(
        "deadline",
        sa.Column("thing_key", sa.String(200), primary_key=True),
        _instant("at"),
        sa.Column("told", sa.Boolean(), nullable=False),
    )
    op.create_index("deadline_at", "deadline", ["told", "at"])
