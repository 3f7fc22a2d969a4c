"""Add trusted issuers of software statements, and the statements that clients came with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "statement_issuers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("jwks", JSON_VALUE, nullable=True),
        sa.Column("jwks_uri", sa.String(length=2048), nullable=False),
        sa.Column("algorithms", JSON_VALUE, nullable=False),
        sa.Column("software_ids", JSON_VALUE, nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_issuers")),
        sa.UniqueConstraint("issuer", name=op.f("uq_statement_issuers_issuer")),
    )
    op.create_table(
        "client_statements",
        sa.Column("client_id", sa.String(length=2048), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.client_id"],
            name=op.f("fk_client_statements_client_id_clients"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_statements")),
    )


def downgrade() -> None:
    """Remove them again."""
    op.drop_table("client_statements")
    op.drop_table("statement_issuers")
