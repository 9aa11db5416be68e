"""The newest version seen of each thing, for read models; why a fact could not be sent."""

import sqlalchemy as sa
from alembic import op

revision = "servicekit_0002"
down_revision = "servicekit_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seen",
        sa.Column("consumer", sa.String(80), primary_key=True),
        sa.Column("thing", sa.String(200), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.add_column("outbox", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("refused", sa.String(500)))
    aside = sa.text("refused IS NOT NULL")
    op.create_index("outbox_refused", "outbox", ["id"], sqlite_where=aside, postgresql_where=aside)
