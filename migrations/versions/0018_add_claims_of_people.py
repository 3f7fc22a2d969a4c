"""Add the scopes of OpenID Connect, people's names, asked claims, and clients without PKCE."""

import time

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

JSON_VALUE = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BUILT_IN_SCOPES = {
    "profile": ("Read your name and the e-mail address you sign in with", "medium"),
    "email": ("Read your e-mail address", "medium"),
    "address": ("Read your postal address, where this server knows it", "medium"),
    "phone": ("Read your telephone number, where this server knows it", "medium"),
}
INSERT = sa.text(
    "INSERT INTO scopes (name, description, risk, is_default, four_eyes, created_at)"
    " VALUES (:name, :description, :risk, false, false, :now) ON CONFLICT (name) DO NOTHING"
)


def upgrade() -> None:
    """Add them; a scope that operators made under one of the names stays theirs."""
    op.add_column("users", sa.Column("name", sa.String(length=200), nullable=True))
    op.add_column("authorization_codes", sa.Column("claims", JSON_VALUE, nullable=True))
    op.add_column("grants", sa.Column("claims", JSON_VALUE, nullable=True))
    optional = sa.Column("pkce_optional", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("clients", optional)
    now = int(time.time())
    for name, (description, risk) in BUILT_IN_SCOPES.items():
        values = {"name": name, "description": description, "risk": risk, "now": now}
        op.get_bind().execute(INSERT, values)


def downgrade() -> None:
    """Remove them again, except scopes, which clients may have been approved for."""
    op.drop_column("clients", "pkce_optional")
    op.drop_column("grants", "claims")
    op.drop_column("authorization_codes", "claims")
    op.drop_column("users", "name")
