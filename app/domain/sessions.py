"""Owns browser sessions of signed-in people: server-side, revocable, by digest of the cookie."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import authorization_codes, credentials
from app.extensions import Base, JSONValue, db

TOUCH_SECONDS = 60
"""A session in use is noted at most once in so many seconds."""


class Session(Base):
    """One signed-in browser."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    cookie_digest: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONValue)
    auth_time: Mapped[int] = mapped_column(BigInteger)
    last_seen_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(200))


def issue(
    user_id: str, *, lifetime_seconds: int, address: str, user_agent: str
) -> tuple[Session, str]:
    """Start a session; return its row and the value of its cookie."""
    value, now = credentials.new_secret("s_"), clock.epoch()
    row = Session(
        id=credentials.new_id(),
        cookie_digest=credentials.digest(value),
        user_id=user_id,
        data={},
        auth_time=now,
        last_seen_at=now,
        expires_at=now + lifetime_seconds,
        address=address,
        user_agent=user_agent[:200],
    )
    db.session.add(row)
    db.session.flush()
    return row, value


def find(value: str, idle_seconds: int) -> Session | None:
    """Return the live session of a cookie value, or None."""
    now = clock.epoch()
    return db.session.scalar(
        select(Session).where(
            Session.cookie_digest == credentials.digest(value),
            Session.expires_at > now,
            Session.last_seen_at > now - idle_seconds,
        )
    )


def touch(session_id: str) -> None:
    """Note that a session is in use."""
    db.session.execute(
        update(Session)
        .where(Session.id == session_id)
        .values(last_seen_at=clock.epoch())
        .execution_options(synchronize_session=False)
    )


def write(session_id: str, data: dict[str, Any]) -> None:
    """Replace what a session remembers."""
    db.session.execute(
        update(Session)
        .where(Session.id == session_id)
        .values(data=data)
        .execution_options(synchronize_session=False)
    )


def exists(session_id: str) -> bool:
    """Tell whether a session has not been ended; for the token path, which loads none."""
    return db.session.scalar(select(Session.id).where(Session.id == session_id)) is not None


def end(session_id: str) -> None:
    """End one session, and with it the codes that were issued in it."""
    authorization_codes.withdraw(session_id=session_id)
    db.session.execute(delete(Session).where(Session.id == session_id))


def end_of_user(user_id: str) -> None:
    """End all sessions of a user and their codes, on every node, with the next request."""
    authorization_codes.withdraw(user_id=user_id)
    db.session.execute(
        delete(Session)
        .where(Session.user_id == user_id)
        .execution_options(synchronize_session=False)
    )
