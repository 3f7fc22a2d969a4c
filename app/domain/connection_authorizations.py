"""Owns running authorizations of connections: bound to a browser session, used once in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    String,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, errors
from app.domain.connection_drafts import AUTHORIZATION_CODE
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.extensions import Base, JSONValue, db

LIFETIME_SECONDS = 600
UNREADY = (
    "This connection cannot be authorized yet; ask the operators of this server to discover its"
    " authorization server and to register a client there."
)
STALE = (
    "This authorization is unknown, too old, of another browser session, or was answered already,"
    " or the connection was changed meanwhile; authorize the connection again."
)


class ConnectionAuthorization(Base):
    """One authorization, by digest of its state; spent ones stay until they would have run out."""

    __tablename__ = "connection_authorizations"

    state_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    connection_id: Mapped[str] = mapped_column(
        ForeignKey("connections.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    owner: Mapped[str] = mapped_column(String(40))
    """Whose the tokens will be: the user's, or ``SERVICE``."""
    verifier_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    issuer: Mapped[str] = mapped_column(String(2048))
    redirect_uri: Mapped[str] = mapped_column(String(2048))
    revision: Mapped[int] = mapped_column(Integer)
    """That of the connection; at another one the answer counts no more."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    spent_at: Mapped[int | None] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Begun:
    """What goes to the authorization endpoint."""

    state: str = field(repr=False)
    challenge: str
    """S256 of the verifier (RFC 7636 section 4.2)."""


def begin(
    connection: Connection,
    sealing_key: bytes,
    *,
    session_id: str,
    user_id: str,
    for_service: bool,
    scopes: Sequence[str],
    redirect_uri: str,
) -> Begun:
    """Begin to authorize a connection in a browser session; raises Conflict for an unready one.

    A person authorizes for themselves, or for this server itself, never for another person.
    """
    if connection.kind != AUTHORIZATION_CODE or not connection.issuer or not connection.client_id:
        raise errors.Conflict(UNREADY)
    state, verifier = credentials.new_secret(), credentials.new_secret()
    digest, now = credentials.digest(state), clock.epoch()
    owner = SERVICE if for_service else user_id
    name = bound(digest, connection.id, session_id, owner)
    db.session.execute(
        insert(ConnectionAuthorization),
        {
            "state_digest": digest,
            "connection_id": connection.id,
            "session_id": session_id,
            "user_id": user_id,
            "owner": owner,
            "verifier_sealed": credentials.seal(sealing_key, verifier.encode(), name),
            "scopes": list(scopes),
            "issuer": connection.issuer,
            "redirect_uri": redirect_uri,
            "revision": connection.revision,
            "created_at": now,
            "expires_at": now + LIFETIME_SECONDS,
        },
    )
    return Begun(state, credentials.s256_challenge(verifier))


def spend(state: str, session_id: str) -> Row[Any]:
    """Use an authorization up, before its code is redeemed; raises AccessDenied.

    The one conditional UPDATE decides: only the first answer in time, in the browser session that
    began, at the revision of then. All other answers are refused alike.
    """
    if len(state) > credentials.MAXIMUM_LENGTH:
        raise errors.AccessDenied(STALE)
    now, table = clock.epoch(), ConnectionAuthorization
    revision = select(Connection.revision).where(Connection.id == table.connection_id)
    spent = db.session.execute(
        update(table)
        .where(table.state_digest == credentials.digest(state), table.session_id == session_id)
        .where(table.spent_at.is_(None), table.expires_at > now)
        .where(table.revision == revision.scalar_subquery())
        .values(spent_at=now)
        .returning(*table.__table__.c)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        raise errors.AccessDenied(STALE)
    return spent


def verifier_of(row: Row[Any], sealing_key: bytes) -> str:
    """Open the code verifier; raises ValueError for one of another authorization."""
    name = bound(row.state_digest, row.connection_id, row.session_id, row.owner)
    return credentials.unseal(sealing_key, row.verifier_sealed, name).decode()


def withdraw(connection_id: str) -> None:
    """Forget the running authorizations of a connection."""
    db.session.execute(
        delete(ConnectionAuthorization)
        .where(ConnectionAuthorization.connection_id == connection_id)
        .execution_options(synchronize_session=False)
    )


def bound(*whose: str) -> str:
    """Name the state, connection, session and owner that a verifier is sealed for."""
    return ":".join(("connection_authorizations", *whose, "verifier"))
