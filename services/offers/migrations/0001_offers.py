"""Boards, providers, offers, imports."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0001"
down_revision = None
branch_labels = ("offers",)
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("slug", sa.String(40), primary_key=True),
        sa.Column("declaration", sa.JSON(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("changed_at"),
    )
    op.create_table(
        "provider",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(80)),
        sa.Column("external_id", sa.String(200)),
        _instant("changed_at"),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("provider_id", sa.String(36), sa.ForeignKey("provider.id"), index=True),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("source", sa.String(80)),
        sa.Column("external_id", sa.String(200)),
        sa.Column("import_id", sa.String(36)),
        sa.Column("pruned", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(200)),
        _instant("created_at"),
        _instant("changed_at"),
        _instant("published_at", nullable=True),
        sa.UniqueConstraint("board", "source", "external_id"),
    )
    op.create_index("offer_board_id", "offer", ["board", "status", "id"])
    op.create_index("offer_ends", "offer", ["status", "ends_on"])
    op.create_table(
        "import",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), sa.ForeignKey("board.slug"), nullable=False),
        sa.Column("mapping", sa.String(80)),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("prune", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False, index=True),
        sa.Column("error", sa.String(500)),
        sa.Column("traceparent", sa.String(55)),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("rows_total", sa.Integer()),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("rows_done", "created", "changed", "unchanged", "withdrawn", "broken")
        ),
        sa.Column("keyless", sa.Boolean(), nullable=False),
        _instant("created_at"),
        _instant("finished_at", nullable=True),
    )
    op.create_table(
        "import_part",
        sa.Column("import_id", sa.String(36), sa.ForeignKey("import.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "import_finding",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("import_id", sa.String(36), sa.ForeignKey("import.id"), nullable=False, index=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(200)),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("value", sa.String(200)),
    )
