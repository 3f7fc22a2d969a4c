"""Add what more is wanted of what people authorized, until they decide about it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing more is wanted of grants of before."""
    op.add_column(
        "connection_grants", sa.Column("wanted_scope", sa.String(length=4096), nullable=True)
    )


def downgrade() -> None:
    """Remove it again."""
    op.drop_column("connection_grants", "wanted_scope")
