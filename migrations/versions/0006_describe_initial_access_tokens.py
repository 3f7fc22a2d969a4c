"""Add what initial access tokens are for, where they come from and what they bound."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TABLE = "initial_access_tokens"


def upgrade() -> None:
    """Add the columns, so that tokens of before bound nothing, and the index of their clients."""
    text = sa.String(length=200)
    columns = (
        sa.Column("purpose", text, server_default="", nullable=False),
        sa.Column("owner", text, server_default="", nullable=False),
        sa.Column("networks", JSON_VALUE, server_default="[]", nullable=False),
        sa.Column("verdict", sa.String(length=8), server_default="rules", nullable=False),
        sa.Column("scopes", JSON_VALUE, nullable=True),
        sa.Column("resources", JSON_VALUE, nullable=True),
        sa.Column("access_token_seconds", sa.Integer(), nullable=True),
        sa.Column("approve_days", sa.Integer(), nullable=True),
    )
    for column in columns:
        op.add_column(TABLE, column)
    op.create_index(
        "ix_clients_initial_access_token_id",
        "clients",
        ["initial_access_token_id", "created_at"],
        unique=False,
    )


def downgrade() -> None:
    """Remove them again."""
    op.drop_index("ix_clients_initial_access_token_id", table_name="clients")
    for name in (
        "approve_days",
        "access_token_seconds",
        "resources",
        "scopes",
        "verdict",
        "networks",
        "owner",
        "purpose",
    ):
        op.drop_column(TABLE, name)
