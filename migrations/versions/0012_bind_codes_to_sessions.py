"""Add the browser session that an authorization code was issued in."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "authorization_codes"


def upgrade() -> None:
    """Add the column, empty in codes of before, and its index."""
    op.add_column(TABLE, sa.Column("session_id", sa.String(length=36), nullable=True))
    op.create_index(op.f("ix_authorization_codes_session_id"), TABLE, ["session_id"])


def downgrade() -> None:
    """Remove them again."""
    op.drop_index(op.f("ix_authorization_codes_session_id"), TABLE)
    op.drop_column(TABLE, "session_id")
