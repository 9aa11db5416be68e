"""Organisations: who acts for a provider, who is written to, what it proposes, and what others write to it."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0007"
down_revision = "offers_0006"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _provider() -> sa.Column:
    return sa.Column("provider_id", sa.String(36), sa.ForeignKey("provider.id"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "organisation_recipient",
        sa.Column("id", sa.String(36), primary_key=True),
        _provider(),
        sa.Column("recipient_id", sa.String(64), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        _instant("created_at"),
        sa.UniqueConstraint("provider_id", "recipient_id"),
    )
    op.create_table(
        "organisation_member",
        sa.Column("id", sa.String(36), primary_key=True),
        _provider(),
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
        _provider(),
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
        _provider(),
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
    op.create_table(
        "conversation",
        sa.Column("id", sa.String(36), primary_key=True),
        _provider(),
        sa.Column("offer_id", sa.String(36), sa.ForeignKey("offer.id"), nullable=False),
        sa.Column("recipient_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _instant("created_at"),
        _instant("kept_until"),
    )
    op.create_index("conversation_provider", "conversation", ["provider_id", "created_at"])
    op.create_index("conversation_recipient", "conversation", ["recipient_id", "created_at"])
    op.create_index("conversation_end", "conversation", ["kept_until"])
    op.create_table(
        "conversation_message",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("conversation_id", sa.String(36), sa.ForeignKey("conversation.id"), nullable=False),
        _provider(),
        sa.Column("sender", sa.String(12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _instant("sent_at"),
    )
    op.create_index("message_conversation", "conversation_message", ["conversation_id", "id"])
    op.create_index("message_provider", "conversation_message", ["provider_id", "id"])
