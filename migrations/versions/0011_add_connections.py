"""Add connections: logins that this server holds at others', and what people authorize there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Add the tables."""
    create_connections()
    create_grants()
    create_authorizations()


def create_connections() -> None:
    """Add what this server holds at others'."""
    op.create_table(
        "connections",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=True),
        sa.Column("server", JSON_VALUE, nullable=True),
        sa.Column("token_endpoint", sa.String(length=2048), nullable=True),
        sa.Column("issuer", sa.String(length=2048), nullable=True),
        sa.Column("client_id", sa.String(length=2048), nullable=False),
        sa.Column("registered_how", sa.String(length=16), nullable=False),
        sa.Column("registration_client_uri", sa.String(length=2048), nullable=True),
        sa.Column("registration_token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("auth_method", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=4096), nullable=False),
        sa.Column("resource", sa.String(length=2048), nullable=False),
        sa.Column("expiry_buffer_seconds", sa.Integer(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("private_key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("token_expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("name", name=op.f("uq_connections_name")),
    )


def create_grants() -> None:
    """Add the tokens that people's authorizations brought."""
    op.create_table(
        "connection_grants",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("access_token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("scopes", JSON_VALUE, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("authorized_at", sa.BigInteger(), nullable=False),
        sa.Column("authorized_by", sa.String(length=255), nullable=False),
        sa.Column("refreshed_at", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("refreshing_until", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connections.id"],
            name=op.f("fk_connection_grants_connection_id_connections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection_grants")),
        sa.UniqueConstraint(
            "connection_id", "owner", name=op.f("uq_connection_grants_connection_id")
        ),
    )
    op.create_index(op.f("ix_connection_grants_owner"), "connection_grants", ["owner"])


def create_authorizations() -> None:
    """Add the authorizations that are running."""
    table = "connection_authorizations"
    op.create_table(
        table,
        sa.Column("state_digest", sa.String(length=64), nullable=False),
        sa.Column("connection_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("verifier_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", JSON_VALUE, nullable=False),
        sa.Column("issuer", sa.String(length=2048), nullable=False),
        sa.Column("redirect_uri", sa.String(length=2048), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("spent_at", sa.BigInteger(), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{of}.id"], name=op.f(f"fk_{table}_{column}_{of}"), ondelete=then
            )
            for column, of, then in (
                ("connection_id", "connections", "CASCADE"),
                ("session_id", "sessions", "CASCADE"),
                ("user_id", "users", None),
            )
        ),
        sa.PrimaryKeyConstraint("state_digest", name=op.f(f"pk_{table}")),
    )
    for column in ("connection_id", "session_id", "user_id", "expires_at"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """Remove them again."""
    op.drop_table("connection_authorizations")
    op.drop_table("connection_grants")
    op.drop_table("connections")
