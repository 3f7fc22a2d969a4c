"""Add what lists of clients and software are sorted by."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the indexes; software of before sorts by its name in small letters."""
    column = sa.Column("sort_name", sa.String(length=100), server_default="", nullable=False)
    op.add_column("software", column)
    op.execute("UPDATE software SET sort_name = lower(substr(name, 1, 100))")
    op.create_index("ix_software_sort_name", "software", ["sort_name", "id"])
    op.create_index("ix_clients_last_used_at", "clients", ["last_used_at", "client_id"])


def downgrade() -> None:
    """Remove them again."""
    op.drop_index("ix_clients_last_used_at", table_name="clients")
    op.drop_index("ix_software_sort_name", table_name="software")
    op.drop_column("software", "sort_name")
