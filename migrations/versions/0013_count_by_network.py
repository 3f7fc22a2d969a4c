"""Add the networks that registrations and undecided software are counted by."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; clients of before count by their address, software of before by none."""
    for table in ("clients", "software"):
        column = sa.Column("network", sa.String(length=64), server_default="", nullable=False)
        op.add_column(table, column)
    op.execute("UPDATE clients SET network = address")
    op.drop_index("ix_clients_address", table_name="clients")
    op.create_index("ix_clients_network", "clients", ["network"])
    op.create_index("ix_software_network", "software", ["network", "status"])


def downgrade() -> None:
    """Remove them again."""
    op.drop_index("ix_software_network", table_name="software")
    op.drop_index("ix_clients_network", table_name="clients")
    op.create_index("ix_clients_address", "clients", ["address"])
    op.drop_column("software", "network")
    op.drop_column("clients", "network")
