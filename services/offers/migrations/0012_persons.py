"""Bookings know the person behind their recipient ids, so that caps count persons."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0012"
down_revision = "offers_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("booking", sa.Column("person", sa.String(64)))
    op.create_index("booking_person", "booking", ["person", "board"])
