"""Add telephone numbers and postal addresses of people."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "contact_details",
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("phone_number", sa.String(length=16), nullable=True),
        sa.Column("phone_number_verified", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_contact_details_user_id_users"),
        sa.PrimaryKeyConstraint("user_id", name="pk_contact_details"),
    )


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("contact_details")
