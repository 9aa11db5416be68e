"""Webhooks and their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0003"
down_revision = "notify_0002"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(200), nullable=False, index=True),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary()),
        _instant("old_until"),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(200)),
        sa.Column("failures", sa.Integer(), nullable=False),
        _instant("open_until"),
        sa.Column("replay", sa.String(36)),
        sa.Column("replay_at", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at", nullable=False),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column(
            "webhook_id", sa.String(36), sa.ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("round", sa.String(36), nullable=False),
        sa.Column("type", sa.String(200), nullable=False),
        sa.Column("thing", sa.String(120), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("traceparent", sa.String(55)),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _instant("next_at", nullable=False),
        sa.Column("answer", sa.Integer()),
        sa.Column("detail", sa.String(400)),
        _instant("created_at", nullable=False),
        _instant("ended_at"),
        # An event is on its way to an endpoint once, however often the bus delivers it.
        sa.UniqueConstraint("webhook_id", "event_id", "round", name="webhook_delivery_once"),
    )
    order = ["webhook_id", "status", "thing", "sequence", "id"]
    op.create_index("webhook_delivery_due", "webhook_delivery", order)
    op.create_index("webhook_delivery_next", "webhook_delivery", ["webhook_id", "status", "next_at"])
    op.create_index("webhook_delivery_log", "webhook_delivery", ["webhook_id", "id"])
    op.create_index("webhook_delivery_over", "webhook_delivery", ["ended_at"])
