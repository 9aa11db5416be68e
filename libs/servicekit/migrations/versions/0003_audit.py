"""What the audit needs: each fact's version, the newest fact of a thing, and what the bus knows better."""

import sqlalchemy as sa
from alembic import op

revision = "servicekit_0003"
down_revision = "servicekit_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("version", sa.BigInteger()))
    op.add_column("outbox", sa.Column("again", sa.Integer(), nullable=False, server_default="0"))
    op.drop_column("outbox", "stream_seq")
    public = sa.text("subject LIKE 'city.%'")
    op.create_index("outbox_thing", "outbox", ["thing", "id"], sqlite_where=public, postgresql_where=public)
    op.create_table(
        "ahead",
        sa.Column("thing", sa.String(200), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
