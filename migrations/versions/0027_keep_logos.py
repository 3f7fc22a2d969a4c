"""Keep the logos of software that operators had fetched, and who lets people see them."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; no logo of before is known, let alone looked at."""
    op.create_table(
        "software_logos",
        sa.Column("software_id", sa.String(length=36), nullable=False),
        sa.Column("logo_uri", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.Column("fetched_by", sa.String(length=255), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_by", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["software_id"],
            ["software.id"],
            name="fk_software_logos_software_id_software",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("software_id", name="pk_software_logos"),
    )
    op.create_index("ix_software_logos_digest", "software_logos", ["digest"])


def downgrade() -> None:
    """Remove it again."""
    op.drop_table("software_logos")
