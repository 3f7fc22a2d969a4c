"""Add the sealed secrets of clients that sign with them."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no client of before signs with its secret."""
    for name in ("secret_sealed", "old_secret_sealed"):
        op.add_column("clients", sa.Column(name, sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove them again; clients that sign with their secrets need new ones."""
    for name in ("old_secret_sealed", "secret_sealed"):
        op.drop_column("clients", name)
