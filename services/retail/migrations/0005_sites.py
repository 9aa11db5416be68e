"""Where shops are, and what other projects do near them."""

import sqlalchemy as sa
from alembic import op

revision = "retail_0005"
down_revision = "retail_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shop", sa.Column("lat", sa.Float()))
    op.add_column("shop", sa.Column("lon", sa.Float()))
    op.add_column("shop", sa.Column("notices", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("story", sa.Column("shop_mark", sa.String(16), nullable=False, server_default=""))
    op.create_index("shop_near", "shop", ["lat", "lon"])
    shop = sa.table(
        "shop", sa.column("id"), sa.column("content", sa.JSON), sa.column("lat"), sa.column("lon")
    )
    connection = op.get_bind()
    for shop_id, content in connection.execute(sa.select(shop.c.id, shop.c.content)).all():
        place = content.get("place") or {}
        where = {"lat": place.get("lat"), "lon": place.get("lon")}
        connection.execute(sa.update(shop).where(shop.c.id == shop_id).values(where))
    op.create_table(
        "site",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("todo_after", sa.String(36), index=True),
    )
    op.create_table(
        "site_shop",
        sa.Column("site_id", sa.String(64), sa.ForeignKey("site.id"), primary_key=True),
        sa.Column("shop_id", sa.String(36), sa.ForeignKey("shop.id"), primary_key=True),
    )
    op.create_index("site_of_shop", "site_shop", ["shop_id"])
