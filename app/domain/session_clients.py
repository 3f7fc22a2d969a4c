"""Owns which clients a browser session signed its person in to: what each knows it by, its end."""

from collections.abc import Sequence

from sqlalchemy import (
    Boolean,
    ColumnElement,
    ForeignKey,
    String,
    UniqueConstraint,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.domain import audit, credentials, grants, jobs
from app.domain.audit import SERVER
from app.domain.audit_tags import Tag
from app.domain.grants import Grant
from app.extensions import Base, db, insert_once

KIND = "deliver logout"
MOST_WAITING = 1000
"""A client that is away so long that more wait for it is not told what comes then; recorded."""
ENDED = "session ended"


class SessionClient(Base):
    """One client that got an ID token in one session."""

    __tablename__ = "session_clients"
    __table_args__ = (UniqueConstraint("session_id", "client_id"),)

    sid: Mapped[str] = mapped_column(String(36), primary_key=True)
    """What this client knows the session by; it opens nothing, and other clients have another."""
    session_id: Mapped[str] = mapped_column(String(36))
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    is_told: Mapped[bool] = mapped_column(Boolean)
    """Whether it has registered where it wants to hear that the session has ended."""


def join(session_id: str, client_id: str, user_id: str, *, is_told: bool) -> str:
    """Note that a client signs a person in; return its ``sid``, the same one each time."""
    sid = credentials.new_id()
    facts = {"client_id": client_id, "user_id": user_id, "is_told": is_told}
    if insert_once(SessionClient, sid=sid, session_id=session_id, **facts):
        return sid
    known = db.session.scalar(
        update(SessionClient)
        .where(SessionClient.session_id == session_id, SessionClient.client_id == client_id)
        .values(is_told=is_told)
        .returning(SessionClient.sid)
        .execution_options(synchronize_session=False)
    )
    return known or sid  # a session that ends right now has no name any more


def is_of(sid: str, session_id: str) -> bool:
    """Tell whether a ``sid`` is what a client knows a session by."""
    known = select(SessionClient.session_id).where(SessionClient.sid == sid)
    return db.session.scalar(known) == session_id


def carry_over(session_id: str, successor: str) -> None:
    """Let a session go on in another one, in which the same person has signed in again."""
    db.session.execute(
        update(SessionClient)
        .where(SessionClient.session_id == session_id)
        .values(session_id=successor)
        .execution_options(synchronize_session=False)
    )


def leave(which: ColumnElement[bool]) -> None:
    """End the clients' part of sessions that end: tell those that want it, end their grants.

    What a client may do while the person is away stays (OpenID Connect Core section 11).
    """
    left = db.session.execute(
        delete(SessionClient)
        .where(which)
        .returning(*SessionClient.__table__.c)
        .execution_options(synchronize_session=False)
    ).all()
    for row in left:
        if row.is_told:
            enqueue(row.client_id, row.user_id, row.sid)
    end_grants([row.sid for row in left])


def enqueue(client_id: str, user_id: str, sid: str) -> None:
    """Keep in this transaction that a client is to be told, unless far too much waits for it."""
    queue = credentials.thumbprint(client_id)
    if jobs.count_waiting(queue, MOST_WAITING) >= MOST_WAITING:
        facts = {"sid": sid, "failure": "too many wait"}
        audit.record(Tag.CLIENT_LOGOUT_FAILED, client_id, by=SERVER, client_id=client_id, **facts)
        return
    payload = {"client_id": client_id, "user_id": user_id, "sid": sid}
    jobs.add(KIND, payload, queue=queue, topic=sid)


def end_grants(sids: Sequence[str]) -> None:
    """End the grants of sign-ins that have no ``offline_access``."""
    live = select(Grant.id, Grant.scopes).where(Grant.sid.in_(sids), Grant.revoked_at.is_(None))
    found = db.session.execute(live).all() if sids else ()
    ended = [row.id for row in found if "offline_access" not in row.scopes]
    if ended:
        grants.revoke_where(Grant.id.in_(ended), ENDED, by=SERVER)
