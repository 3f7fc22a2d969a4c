"""Add versions of the policy, its rules' hits and bounds, and turns; drop skeletons of names."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the tables of the policy and the lifetime that a rule sets."""
    op.create_table(
        "policy_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", JSON_VALUE, nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_versions")),
    )
    op.create_table(
        "rule_hits",
        sa.Column("rule_id", sa.String(length=36), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("shadow_hits", sa.Integer(), nullable=False),
        sa.Column("last_hit_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_rule_hits")),
    )
    op.create_table(
        "turns",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
    )
    op.add_column("software", sa.Column("access_token_seconds", sa.Integer(), nullable=True))
    op.drop_index(op.f("ix_software_skeleton"), table_name="software")
    op.drop_column("software", "skeleton")


def downgrade() -> None:
    """Remove them again."""
    op.add_column(
        "software", sa.Column("skeleton", sa.String(length=255), server_default="", nullable=False)
    )
    op.create_index(op.f("ix_software_skeleton"), "software", ["skeleton"], unique=False)
    op.drop_column("software", "access_token_seconds")
    op.drop_table("turns")
    op.drop_table("rule_hits")
    op.drop_table("policy_versions")
