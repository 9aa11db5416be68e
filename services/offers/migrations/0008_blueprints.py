"""Derived boards, improvements between boards, offers that follow a changed board."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0008"
down_revision = "offers_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("board", sa.Column("origin", sa.String(8), nullable=False, server_default="file"))
    op.add_column("board", sa.Column("derived_from", sa.String(40)))
    op.add_column("board", sa.Column("parent_seen", sa.JSON()))
    op.add_column("offer", sa.Column("flags", sa.JSON()))
    flagged = sa.text("flags IS NOT NULL")
    op.create_index("offer_flagged", "offer", ["id"], postgresql_where=flagged, sqlite_where=flagged)
    op.create_table(
        "improvement",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("source", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("source_version", sa.Integer(), nullable=False),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("adapted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
    )
    op.create_index("improvement_board", "improvement", ["board", "status", "id"])
    op.create_index("improvement_source", "improvement", ["source", "id"])
    op.create_table(
        "board_migration",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("behind", sa.String(36), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("seen", "migrated", "flagged")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
    )
    op.create_index("board_migration_board", "board_migration", ["board", "id"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "board_migration_open",
        "board_migration",
        ["id"],
        postgresql_where=unfinished,
        sqlite_where=unfinished,
    )
