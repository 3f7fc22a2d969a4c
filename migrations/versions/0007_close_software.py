"""Add since when approved software takes no newcomers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("software", sa.Column("closed_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Remove it again."""
    op.drop_column("software", "closed_at")
