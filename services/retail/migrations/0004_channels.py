"""Short links to stories."""

import sqlalchemy as sa
from alembic import op

revision = "retail_0004"
down_revision = "retail_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "short_link",
        sa.Column("code", sa.String(10), primary_key=True),
        sa.Column("story_id", sa.String(36), sa.ForeignKey("story.id"), nullable=False, index=True),
        sa.Column("channel", sa.String(12), nullable=False),
    )
    op.create_table(
        "link_count",
        sa.Column("code", sa.String(10), sa.ForeignKey("short_link.code"), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("times", sa.Integer(), nullable=False),
    )
