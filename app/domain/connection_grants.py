"""Owns connection grants: the tokens that people's authorizations of connections brought, sealed.

Each is found by its owner alone: a person, or nobody for the login that operators keep.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    String,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, upstream_tokens
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.connection_drafts import SCOPE_LENGTH
from app.domain.connection_records import Connection
from app.domain.upstream_tokens import Tokens
from app.extensions import Base, JSONValue, db

SERVICE = ""
"""Owner of the login that operators keep for this server itself."""
TOUCH_SECONDS = 60
"""The use of a token is noted at most once in so many seconds."""
CHANGED = (
    "The connection was changed or removed while it was being authorized; authorize it again, or"
    " ask the operators of this server."
)


class ConnectionGrant(Base):
    """The tokens of one owner at one connection."""

    __tablename__ = "connection_grants"
    __table_args__ = (UniqueConstraint("connection_id", "owner"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    owner: Mapped[str] = mapped_column(String(40), index=True)
    """The ``id`` of a person, or ``SERVICE``."""
    access_token_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    refresh_token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the access token ends, if that was said."""
    revision: Mapped[int] = mapped_column(Integer)
    """That of the connection; a grant of another one is not found."""
    version: Mapped[int] = mapped_column(Integer)
    """Raised by each refresh; what was got at another version is not stored."""
    authorized_at: Mapped[int] = mapped_column(BigInteger)
    authorized_by: Mapped[str] = mapped_column(String(255))
    refreshed_at: Mapped[int | None] = mapped_column(BigInteger)
    failed_at: Mapped[int | None] = mapped_column(BigInteger)
    """When the newest refresh failed; empty since one that worked."""
    refreshing_until: Mapped[int | None] = mapped_column(BigInteger)
    """So long nobody else refreshes."""
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    wanted_scope: Mapped[str | None] = mapped_column(String(SCOPE_LENGTH))
    """The scopes that are wanted besides, until its owner decides."""


COLUMNS = ConnectionGrant.__table__.c
FACTS = [column for column in COLUMNS if not column.name.endswith("_sealed")]
"""What may be seen of a grant: all but its tokens."""


def keep(
    tokens: Tokens,
    sealing_key: bytes,
    *,
    connection_id: str,
    owner: str,
    revision: int,
    by: Actor,
) -> Row[Any]:
    """Keep what an authorization brought, in place of what its owner had; raises Conflict.

    ``revision`` is that of the connection when the authorization began: tokens of another
    authorization server, or of another client, are never kept.
    """
    now = clock.epoch()
    name = lock(connection_id, revision, now)
    before = displace(connection_id, owner)
    kept = add(
        (credentials.new_id(), connection_id, owner),
        tokens,
        sealing_key,
        revision=revision,
        authorized_at=now,
        authorized_by=by.name or by.kind,
    )
    audit.record(
        Tag.CONNECTION_AUTHORIZED,
        connection_id,
        by=by,
        name=name,
        owner=owner,
        scopes=list(tokens.scopes),
        **before,
    )
    return kept


def displace(connection_id: str, owner: str) -> dict[str, Any]:
    """Delete what an owner had; return for the trail which scopes it had, if there was any."""
    scopes = db.session.scalar(
        delete(ConnectionGrant)
        .where(owned(connection_id, owner))
        .returning(ConnectionGrant.scopes)
        .execution_options(synchronize_session=False)
    )
    return {} if scopes is None else {"scopes_before": scopes}


def add(
    whose: tuple[str, str, str], tokens: Tokens, sealing_key: bytes, **values: object
) -> Row[Any]:
    """Store tokens in a new row of a connection and an owner."""
    grant_id, connection_id, owner = whose
    added = insert(ConnectionGrant).values(
        id=grant_id,
        connection_id=connection_id,
        owner=owner,
        scopes=list(tokens.scopes),
        expires_at=tokens.expires_at,
        version=1,
        **values,
        **upstream_tokens.seals(tokens, sealing_key, whose),
    )
    return db.session.execute(added.returning(*COLUMNS)).one()


def lock(connection_id: str, revision: int, now: int) -> str:
    """Hold a connection at a revision until this transaction ends and return its name.

    Its row is the lock: grants are kept one after another, and before or after its end.
    """
    name = db.session.scalar(
        update(Connection)
        .where(Connection.id == connection_id, Connection.revision == revision)
        .values(last_used_at=now)
        .returning(Connection.name)
        .execution_options(synchronize_session=False)
    )
    if name is None:
        raise errors.Conflict(CHANGED)
    return name


def find(connection_id: str, owner: str) -> Row[Any] | None:
    """Return what an owner has at a connection, with the columns of the table."""
    query = select(*COLUMNS).join(Connection, Connection.id == ConnectionGrant.connection_id)
    alive = ConnectionGrant.revision == Connection.revision
    return db.session.execute(query.where(owned(connection_id, owner), alive)).first()


def of_service() -> dict[str, Row[Any]]:
    """Return the facts of what this server itself has, by connection, without tokens."""
    query = select(*FACTS).join(Connection).where(ConnectionGrant.owner == SERVICE)
    alive = ConnectionGrant.revision == Connection.revision
    return {row.connection_id: row for row in db.session.execute(query.where(alive))}


def note_use(row: Row[Any]) -> None:
    """Note that a token was handed out, at most once in a minute."""
    now = clock.epoch()
    if row.last_used_at is None or row.last_used_at <= now - TOUCH_SECONDS:
        db.session.execute(
            update(ConnectionGrant)
            .where(ConnectionGrant.id == row.id)
            .values(last_used_at=now)
            .execution_options(synchronize_session=False)
        )


def drop(connection_id: str, owner: str, *, by: Actor) -> list[Row[Any]]:
    """Forget what an owner has at a connection; return it, to be revoked there after the commit."""
    return end_where(owned(connection_id, owner), "dropped", by=by)


def forget_of_user(user_id: str, reason: str, *, by: Actor) -> list[Row[Any]]:
    """Forget what a person has at all connections; return it, to be revoked after the commit."""
    return end_where(ConnectionGrant.owner == user_id, reason, by=by) if user_id else []


def forget_of_connection(connection_id: str, reason: str, *, by: Actor) -> list[Row[Any]]:
    """Forget what all have at a connection; return it, to be revoked there after the commit."""
    return end_where(ConnectionGrant.connection_id == connection_id, reason, by=by)


def end_where(condition: ColumnElement[bool], reason: str, *, by: Actor) -> list[Row[Any]]:
    """Delete the grants that meet a condition, record and return each."""
    ended = db.session.execute(
        delete(ConnectionGrant)
        .where(condition)
        .returning(*COLUMNS)
        .execution_options(synchronize_session=False)
    ).all()
    for row in ended:
        audit.record(
            Tag.CONNECTION_REVOKED, row.connection_id, by=by, owner=row.owner, reason=reason
        )
    return list(ended)


def of_user(user_id: str) -> list[Row[Any]]:
    """Return the facts of what a person has, with the names of the connections, without tokens."""
    if user_id == SERVICE:
        return []
    query = select(*FACTS, Connection.name, Connection.description).join(Connection)
    mine = query.where(ConnectionGrant.owner == user_id)
    return list(db.session.execute(mine.order_by(Connection.name).limit(500)))


def of_connection(connection_id: str) -> list[Row[Any]]:
    """Return the facts of the first 500 grants at a connection, without tokens, for operators."""
    query = select(*FACTS).where(ConnectionGrant.connection_id == connection_id)
    return list(db.session.execute(query.order_by(ConnectionGrant.owner).limit(500)))


def owned(connection_id: str, owner: str) -> ColumnElement[bool]:
    """Return the condition of the grant of one owner at one connection."""
    return (ConnectionGrant.connection_id == connection_id) & (ConnectionGrant.owner == owner)
