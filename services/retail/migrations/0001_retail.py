"""Shops, their people, what they propose, imports."""

import sqlalchemy as sa
from alembic import op

revision = "retail_0001"
down_revision = None
branch_labels = ("retail",)
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _shop() -> sa.Column:
    """Libraries call whoever shows something its provider."""
    return sa.Column("provider_id", sa.String(36), sa.ForeignKey("shop.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "shop",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("hours_confirmed_on", sa.Date()),
        sa.Column("source", sa.String(80)),
        sa.Column("external_id", sa.String(200)),
        sa.Column("imported", sa.JSON()),
        sa.Column("import_id", sa.String(36)),
        sa.Column("pruned", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(200)),
        _instant("created_at"),
        _instant("changed_at"),
        _instant("published_at", nullable=True),
        sa.UniqueConstraint("source", "external_id"),
    )
    op.create_index("shop_status", "shop", ["status", "id"])
    _people()
    _imports()


def _people() -> None:
    op.create_table(
        "organisation_recipient",
        sa.Column("id", sa.String(36), primary_key=True),
        _shop(),
        sa.Column("recipient_id", sa.String(64), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        _instant("created_at"),
        sa.UniqueConstraint("provider_id", "recipient_id"),
    )
    op.create_table(
        "organisation_member",
        sa.Column("id", sa.String(36), primary_key=True),
        _shop(),
        sa.Column("subject", sa.String(200), nullable=False, index=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("recipient_id", sa.String(64)),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("joined_at"),
        sa.UniqueConstraint("provider_id", "subject"),
    )
    op.create_table(
        "organisation_invitation",
        sa.Column("id", sa.String(36), primary_key=True),
        _shop(),
        sa.Column("recipient_id", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        _instant("created_at"),
        _instant("expires_at"),
    )
    op.create_index("invitation_provider", "organisation_invitation", ["provider_id", "id"])
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("thing_id", sa.String(36), nullable=False),
        _shop(),
        sa.Column("made_on", sa.Integer(), nullable=False),
        sa.Column("base", sa.JSON(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.String(64)),
        sa.Column("created_by", sa.String(200), nullable=False),
        _instant("created_at"),
        _instant("decided_at", nullable=True),
    )
    op.create_index("proposal_provider", "proposal", ["provider_id", "id"])
    op.create_index("proposal_status", "proposal", ["status", "id"])
    op.create_index("proposal_thing", "proposal", ["thing_id", "status"])


def _imports() -> None:
    op.create_table(
        "import",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("board", sa.String(40), nullable=False),
        sa.Column("mapping", sa.String(80)),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("prune", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False, index=True),
        sa.Column("error", sa.String(500)),
        sa.Column("error_code", sa.String(40)),
        sa.Column("error_params", sa.JSON()),
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
        sa.Column("code", sa.String(40)),
        sa.Column("params", sa.JSON()),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("value", sa.String(200)),
    )
