"""Add scopes that two people have to approve, and what the first of them gave."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the columns, so that one person goes on approving every scope of before."""
    four_eyes = sa.Column("four_eyes", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("scopes", four_eyes)
    op.add_column("software", sa.Column("first_approval", JSON_VALUE, nullable=True))


def downgrade() -> None:
    """Remove them again."""
    op.drop_column("software", "first_approval")
    op.drop_column("scopes", "four_eyes")
