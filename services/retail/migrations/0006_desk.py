"""The caretaker's desk."""

import sqlalchemy as sa
from alembic import op

revision = "retail_0006"
down_revision = "retail_0005"
branch_labels = None
depends_on = None


def _shop() -> sa.Column:
    return sa.Column("shop_id", sa.String(36), sa.ForeignKey("shop.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.String(36), primary_key=True),
        _shop(),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("text", sa.String(2000)),
        sa.Column("cause", sa.JSON()),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("snoozed_until", sa.Date()),
        sa.Column("assigned_to", sa.String(200)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("shop_id", "kind", "about"),
    )
    op.create_index("task_due", "task", ["status", "urgency", "due_on"])
    op.create_table(
        "visit",
        sa.Column("id", sa.String(36), primary_key=True),
        _shop(),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(2000)),
        sa.Column("by", sa.String(200), nullable=False),
    )
    op.create_table(
        "assessment",
        sa.Column("id", sa.String(36), primary_key=True),
        _shop(),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(40), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
    )
    op.create_index("assessment_shop", "assessment", ["shop_id", "id"])
