"""Let identity providers vouch for people at apps, and note who gave and who ended a consent."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody vouches yet, and who ended the consents of before is not known."""
    vouches = sa.Column("vouches", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("identity_providers", vouches)
    op.add_column("consents", sa.Column("given_by", sa.String(length=64), nullable=True))
    ended = sa.Column("ended_by_person", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("consents", ended)


def downgrade() -> None:
    """Remove them again."""
    op.drop_column("consents", "ended_by_person")
    op.drop_column("consents", "given_by")
    op.drop_column("identity_providers", "vouches")
