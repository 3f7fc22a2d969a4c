"""Bind codes and grants to keys, remember used DPoP proofs, and mark clients of FAPI 2.0."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; what there is is bound to no key."""
    op.create_table(
        "dpop_proof_ids",
        sa.Column("id_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id_digest", name="pk_dpop_proof_ids"),
    )
    op.create_index("ix_dpop_proof_ids_expires_at", "dpop_proof_ids", ["expires_at"])
    for table in ("authorization_codes", "grants"):
        op.add_column(table, sa.Column("dpop_jkt", sa.String(length=43), nullable=True))
    fapi2 = sa.Column("fapi2", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("clients", fapi2)


def downgrade() -> None:
    """Remove them again; what is bound to a key ends, or everybody could use it."""
    op.execute(sa.text("DELETE FROM authorization_codes WHERE dpop_jkt IS NOT NULL"))
    op.execute(
        sa.text(
            "UPDATE grants SET revoked_at = created_at, revoked_reason = 'downgraded'"
            " WHERE dpop_jkt IS NOT NULL AND revoked_at IS NULL"
        )
    )
    op.drop_column("clients", "fapi2")
    for table in ("grants", "authorization_codes"):
        op.drop_column(table, "dpop_jkt")
    op.drop_table("dpop_proof_ids")
