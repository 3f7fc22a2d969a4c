"""Remember with which sign-in at a provider a session began, and the logout tokens of providers."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

DIGESTS = ("provider_subject_digest", "provider_sid_digest")


def upgrade() -> None:
    """Add columns and table; of the sessions there are nobody knows how they began."""
    op.add_column("sessions", sa.Column("provider", sa.String(length=64), nullable=True))
    for column in DIGESTS:
        op.add_column("sessions", sa.Column(column, sa.String(length=64), nullable=True))
        op.create_index(f"ix_sessions_{column}", "sessions", [column])
    op.add_column("sessions", sa.Column("provider_asked_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "foreign_logout_tokens",
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("named_digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name="pk_foreign_logout_tokens"),
    )
    for column in ("named_digest", "expires_at"):
        op.create_index(f"ix_foreign_logout_tokens_{column}", "foreign_logout_tokens", [column])


def downgrade() -> None:
    """Remove them again."""
    op.drop_table("foreign_logout_tokens")
    op.drop_column("sessions", "provider_asked_at")
    for column in DIGESTS:
        op.drop_index(f"ix_sessions_{column}", "sessions")
        op.drop_column("sessions", column)
    op.drop_column("sessions", "provider")
