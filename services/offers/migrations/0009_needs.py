"""Unmet needs."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0009"
down_revision = "offers_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "need",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("offer_id", sa.String(36)),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stirred", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("latest", sa.Date(), nullable=False),
        sa.Column("looked_on", sa.Date()),
        sa.UniqueConstraint("board", "kind", "key"),
    )
    op.create_index("need_stirred", "need", ["stirred"])
    op.create_index("need_told", "need", ["told", "id"])
    op.create_table(
        "need_mark",
        sa.Column("need_id", sa.String(36), sa.ForeignKey("need.id"), primary_key=True),
        sa.Column("who", sa.String(32), primary_key=True),
        sa.Column("on", sa.Date(), nullable=False, index=True),
    )
