"""Note which clients a session signed its person in to, and by which session a grant came."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = "session_clients"


def upgrade() -> None:
    """Add the table, and the column of grants, empty in those of before."""
    op.create_table(
        TABLE,
        sa.Column("sid", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=2048), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["clients.client_id"],
            name="fk_session_clients_client_id_clients",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_session_clients_user_id_users"),
        sa.PrimaryKeyConstraint("sid", name="pk_session_clients"),
        sa.UniqueConstraint("session_id", "client_id", name="uq_session_clients_session_id"),
    )
    for column in ("client_id", "user_id"):
        op.create_index(f"ix_session_clients_{column}", TABLE, [column])
    op.add_column("grants", sa.Column("sid", sa.String(length=36), nullable=True))
    op.create_index("ix_grants_sid", "grants", ["sid"])


def downgrade() -> None:
    """Remove them again."""
    op.drop_index("ix_grants_sid", "grants")
    op.drop_column("grants", "sid")
    op.drop_table(TABLE)
