"""Add the assertions of clients that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "client_assertion_ids",
        sa.Column("id_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id_digest", name=op.f("pk_client_assertion_ids")),
    )
    op.create_index(
        op.f("ix_client_assertion_ids_expires_at"), "client_assertion_ids", ["expires_at"]
    )


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("client_assertion_ids")
