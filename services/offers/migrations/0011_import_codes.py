"""Imports say codes beside their reasons."""

import sqlalchemy as sa
from alembic import op

revision = "offers_0011"
down_revision = "offers_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("error_code", sa.String()))
    op.add_column("import", sa.Column("error_params", sa.JSON()))
    op.add_column("import_finding", sa.Column("code", sa.String()))
    op.add_column("import_finding", sa.Column("params", sa.JSON()))
