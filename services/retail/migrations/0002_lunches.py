"""The lunch guide: menus by week, lunches by day."""

import sqlalchemy as sa
from alembic import op

revision = "retail_0002"
down_revision = "retail_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "menu",
        sa.Column("shop_id", sa.String(36), sa.ForeignKey("shop.id"), primary_key=True),
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "lunch",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("shop_id", sa.String(36), sa.ForeignKey("shop.id"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dishes", sa.JSON(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("lat", sa.Float()),
        sa.Column("lon", sa.Float()),
        sa.Column("diets", sa.String(300), nullable=False),
        sa.Column("least_cents", sa.Integer()),
        sa.Column("shop_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.UniqueConstraint("shop_id", "day"),
    )
    op.create_index("lunch_near", "lunch", ["day", "lat", "lon"])
    op.create_index("lunch_shop", "lunch", ["day", "shop_id"])
    op.create_index("lunch_over", "lunch", ["listed", "ends_at"])
