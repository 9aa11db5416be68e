"""Recipients, suppressed addresses, things, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0001"
down_revision = None
branch_labels = ("notify",)
depends_on = None


def _instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "recipient",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False, index=True),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("language", sa.String(13), nullable=False),
        sa.Column("timezone", sa.String(60), nullable=False),
        sa.Column("quiet", sa.JSON()),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("code", sa.String(64)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _instant("ask_at"),
        _instant("asked_at"),
        _instant("confirmed_at"),
        sa.Column("proof", sa.JSON()),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at", nullable=False),
    )
    op.create_index("recipient_mark", "recipient", ["mark"])
    op.create_index("recipient_ask", "recipient", ["status", "ask_at"])
    op.create_table(
        "suppression",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(12), nullable=False),
        _instant("at", nullable=False),
    )
    op.create_table(
        "asked_address",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("mark", sa.String(64), nullable=False),
        _instant("at", nullable=False),
    )
    op.create_index("asked_address_mark", "asked_address", ["mark", "at"])
    op.create_index("asked_address_old", "asked_address", ["at"])
    op.create_table(
        "thing",
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("thing_id", sa.String(64), nullable=False, index=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("board", sa.String(40)),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("fact", sa.String(200), nullable=False),
        sa.Column("fact_id", sa.String(64), nullable=False),
        _instant("at", nullable=False),
    )
    op.create_index("thing_newest", "thing", ["listed", "at"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "recipient_id", sa.String(36), sa.ForeignKey("recipient.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("fact_id", sa.String(80), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("subscription_id", sa.String(36), index=True),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("key_id", sa.String(8)),
        sa.Column("traceparent", sa.String(55)),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(16)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _instant("due_at", nullable=False),
        _instant("send_before"),
        _instant("created_at", nullable=False),
        _instant("ended_at"),
        # A fact reaches a recipient once, whatever is delivered, asked for or matched twice.
        sa.UniqueConstraint("recipient_id", "fact_id", name="delivery_once"),
    )
    op.create_index("delivery_due", "delivery", ["status", "due_at"])
    op.create_index("delivery_fact", "delivery", ["fact_id"])
    op.create_index("delivery_over", "delivery", ["ended_at"])
