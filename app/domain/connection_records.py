"""Owns the rows of connections: what is kept of each, its revision, and what may be seen."""

from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, Row, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, errors
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.connection_drafts import Draft
from app.extensions import Base, JSONValue, db, insert_once

CONSOLE, ENVIRONMENT = "console", "environment"
GIVEN, REGISTERED, DOCUMENT = "given", "registered", "document"
"""How this server came to its client_id: from an operator, by RFC 7591, or as the URL of its
own client ID metadata document."""
OPEN_MEMBERS = (
    "kind",
    "url",
    "token_endpoint",
    "issuer",
    "client_id",
    "auth_method",
    "scope",
    "resource",
    "expiry_buffer_seconds",
    "description",
)
"""Members of a draft that everybody may see who sees the connection."""


class Connection(Base):
    """One login at someone else's server, of this server itself or of people who authorize it."""

    __tablename__ = "connections"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    """``client_credentials``, or ``authorization_code`` for what people authorize."""
    source: Mapped[str] = mapped_column(String(16))
    """``console``, for the command line as well, or ``environment``."""
    description: Mapped[str] = mapped_column(String(200))
    url: Mapped[str | None] = mapped_column(String(2048))
    """The MCP server or API that people authorize for."""
    server: Mapped[dict[str, Any] | None] = mapped_column(JSONValue)
    """What was discovered of its authorization server; ``issuer`` and ``resource`` as well."""
    token_endpoint: Mapped[str | None] = mapped_column(String(2048))
    issuer: Mapped[str | None] = mapped_column(String(2048))
    """Whose metadata name the token endpoint; a login of this server has one of the two."""
    client_id: Mapped[str] = mapped_column(String(2048))
    """Empty until there is a client at the issuer."""
    registered_how: Mapped[str] = mapped_column(String(16))
    """``given``, ``registered`` or ``document``; empty without a client."""
    registration_client_uri: Mapped[str | None] = mapped_column(String(2048))
    """Where the client is managed there (RFC 7592)."""
    registration_token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    auth_method: Mapped[str] = mapped_column(String(32))
    scope: Mapped[str] = mapped_column(String(4096))
    resource: Mapped[str] = mapped_column(String(2048))
    expiry_buffer_seconds: Mapped[int] = mapped_column(Integer)
    """A token is renewed so long before it expires."""
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    private_key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """For private_key_jwt; without it the key of this server signs."""
    revision: Mapped[int] = mapped_column(Integer)
    """A token that was got at another revision counts no more.

    Raised by each change of a login, and by another client of what people authorize.
    """
    created_at: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(255))
    updated_at: Mapped[int] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    token_expires_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the newest token ends."""


def insert(
    row_id: str, name: str, draft: Draft, source: str, *, by: Actor, **sealed: bytes | None
) -> Connection | None:
    """Add a row; None when its name is taken."""
    now = clock.epoch()
    fresh = insert_once(
        Connection,
        id=row_id,
        name=name,
        source=source,
        registered_how=GIVEN if draft.client_id else "",
        revision=1,
        created_at=now,
        created_by=by.name or by.kind,
        updated_at=now,
        **columns(draft),
        **sealed,
    )
    if not fresh:
        return None
    row = db.session.get_one(Connection, row_id)
    audit.record(Tag.CONNECTION_CREATED, row_id, by=by, name=name, source=source, **told(row))
    return row


def write(row: Connection, **values: object) -> None:
    """Change columns and raise the revision; raises NotFound for a row that is gone."""
    amend(row, revision=Connection.revision + 1, **values)


def amend(row: Connection, **values: object) -> None:
    """Change columns that no token depends on; raises NotFound for a row that is gone.

    Whoever else changes the row waits until this transaction ends, and it is read anew.
    """
    changed = db.session.execute(
        update(Connection)
        .where(Connection.id == row.id)
        .values(**values, updated_at=clock.epoch())
        .returning(Connection.id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        raise not_found()
    db.session.refresh(row)


def forget(row: Connection, *, by: Actor) -> Row[Any]:
    """Delete a row and return what it was; raises NotFound when it is gone already."""
    gone = db.session.execute(
        delete(Connection)
        .where(Connection.id == row.id)
        .returning(*Connection.__table__.c)
        .execution_options(synchronize_session=False)
    ).first()
    if gone is None:
        raise not_found()
    audit.record(Tag.CONNECTION_DELETED, row.id, by=by, name=row.name, **told(row))
    return gone


def copy(row: Connection) -> Row[Any]:
    """Return a connection as it is now, whatever becomes of it."""
    query = select(*Connection.__table__.c).where(Connection.id == row.id)
    return db.session.execute(query).one()


def not_found() -> errors.NotFound:
    """Return the refusal for a connection that is not there."""
    return errors.NotFound("There is no connection of this name.")


def open_members(draft: Draft) -> dict[str, Any]:
    """Return what may be seen of a draft."""
    return {member: getattr(draft, member) for member in OPEN_MEMBERS}


def columns(draft: Draft) -> dict[str, Any]:
    """Return the columns of what may be seen of a draft."""
    optional = ("url", "token_endpoint", "issuer")
    return open_members(draft) | {member: getattr(draft, member) or None for member in optional}


def facts(row: Connection | Row[Any]) -> dict[str, Any]:
    """Return what may be seen of a connection, as a draft has it."""
    values = {member: getattr(row, member) for member in OPEN_MEMBERS}
    return {member: "" if value is None else value for member, value in values.items()}


def told(row: Connection) -> dict[str, Any]:
    """Return what the trail tells of a connection, whose client_id names no client of ours."""
    members = facts(row)
    return {"upstream_client_id": members.pop("client_id"), **members}
