"""Pictures and stories."""

import sqlalchemy as sa
from alembic import op

revision = "retail_0003"
down_revision = "retail_0002"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "picture",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("shapes", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    op.create_table(
        "story",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("shop_id", sa.String(36), sa.ForeignKey("shop.id"), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("public", sa.JSON()),
        sa.Column("told_version", sa.Integer(), nullable=False),
        _instant("due_at", nullable=True),
        _instant("published_at", nullable=True),
        sa.Column("created_by", sa.String(200), nullable=False),
        _instant("created_at"),
        _instant("changed_at"),
    )
    op.create_index("story_shop", "story", ["shop_id", "id"])
    op.create_index("story_due", "story", ["status", "due_at"])
    op.create_index("story_published", "story", ["published_at", "id"])
    op.create_table(
        "story_version",
        sa.Column("story_id", sa.String(36), sa.ForeignKey("story.id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        _instant("at"),
    )
    op.create_table(
        "story_comment",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("story_id", sa.String(36), sa.ForeignKey("story.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(2000), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        _instant("at"),
    )
    op.create_index("comment_story", "story_comment", ["story_id", "id"])
