"""Owns browser sessions of signed-in people: server-side, revocable, by digest of the cookie."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    ForeignKey,
    String,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import (
    audit,
    authorization_codes,
    credentials,
    device_codes,
    foreign_logout_tokens,
    session_clients,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.foreign_logout_tokens import Origin
from app.domain.session_clients import SessionClient
from app.extensions import Base, JSONValue, db

TOUCH_SECONDS = 60
"""A session in use is noted at most once in so many seconds."""
SHOWN = 100
PASSWORD = "pwd"
"""The method of a sign-in with a password (RFC 8176 section 2)."""


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
    methods: Mapped[str] = mapped_column(String(60))
    """What was proven in it, in the words of RFC 8176 section 2."""
    is_half: Mapped[bool] = mapped_column(Boolean)
    """Whether the second factor of the account is still to be proven."""
    provider: Mapped[str | None] = mapped_column(String(64))
    """This and the next three are of the sign-in at an identity provider that it began with."""
    provider_subject_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    provider_sid_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    provider_asked_at: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def origin(self) -> Origin | None:
        """Return the sign-in at an identity provider that it began with, if it did."""
        if self.provider is None:
            return None
        return Origin(*(getattr(self, name) for name in Origin._fields))


def issue(
    user_id: str,
    *,
    lifetime_seconds: int,
    address: str,
    user_agent: str,
    methods: Iterable[str] = (PASSWORD,),
    is_half: bool = False,
    origin: Origin | None = None,
    auth_time: int | None = None,
) -> tuple[Session, str]:
    """Start a session; return its row and the value of its cookie.

    Without ``auth_time`` its person signs in now.
    """
    value, now = credentials.new_secret("s_"), clock.epoch()
    row = Session(
        id=credentials.new_id(),
        cookie_digest=credentials.digest(value),
        user_id=user_id,
        data={},
        auth_time=now if auth_time is None else auth_time,
        last_seen_at=now,
        expires_at=now + lifetime_seconds,
        address=address,
        user_agent=user_agent[:200],
        methods=" ".join(methods),
        is_half=is_half,
        **(origin._asdict() if origin else {}),
    )
    db.session.add(row)
    db.session.flush()
    return row, value


def find(value: str, idle_seconds: int) -> Session | None:
    """Return the live session of a cookie value, or None."""
    return db.session.scalar(
        select(Session).where(
            Session.cookie_digest == credentials.digest(value), *alive(idle_seconds)
        )
    )


def find_of_user(user_id: str, idle_seconds: int) -> list[Session]:
    """Return the live sessions of a user, at most ``SHOWN``, those used last first."""
    found = select(Session).where(
        Session.user_id == user_id, Session.is_half.is_(False), *alive(idle_seconds)
    )
    latest = found.order_by(Session.last_seen_at.desc(), Session.id.desc())
    return list(db.session.scalars(latest.limit(SHOWN)))


def alive(idle_seconds: int) -> Iterable[ColumnElement[bool]]:
    """Return the conditions of live sessions."""
    now = clock.epoch()
    yield Session.expires_at > now
    yield Session.last_seen_at > now - idle_seconds
    yield ~signed_out_there()


def signed_out_there() -> ColumnElement[bool]:
    """Return the condition of sessions whose sign-in a provider has said to be over."""
    row = Session
    return foreign_logout_tokens.ended(
        row.provider_subject_digest, row.provider_sid_digest, row.provider_asked_at
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


def methods_of(session_id: str) -> str | None:
    """Return what was proven in a session, None when it has been ended; loads no session."""
    return db.session.scalar(select(Session.methods).where(Session.id == session_id))


def end(session_id: str) -> None:
    """End one session with the codes that were issued in it, and tell those it signed in to."""
    withdraw_codes(session_id)
    session_clients.leave(SessionClient.session_id == session_id)
    db.session.execute(delete(Session).where(Session.id == session_id))


def withdraw_codes(session_id: str) -> None:
    """End the codes of a session: always before its clients, as a code is redeemed."""
    authorization_codes.withdraw(session_id=session_id)
    device_codes.withdraw(session_id=session_id)


def replace(session_id: str, successor: Session) -> None:
    """End a session for another one; to clients, the same person has not left.

    Unless a provider ended the other one before it was stored: then the person has.
    """
    lives = select(Session.user_id).where(Session.id == successor.id, ~signed_out_there())
    same = select(Session.id).where(Session.id == session_id, Session.user_id.in_(lives))
    if db.session.scalar(same) is not None:
        withdraw_codes(session_id)
        session_clients.carry_over(session_id, successor.id)
    end(session_id)


def end_of_user(user_id: str) -> None:
    """End all sessions of a user like one, on every node, with the next request."""
    authorization_codes.withdraw(user_id=user_id)
    device_codes.withdraw(user_id=user_id)
    session_clients.leave(SessionClient.user_id == user_id)
    db.session.execute(
        delete(Session)
        .where(Session.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


def end_one(user_id: str, session_id: str, *, by: Actor) -> int:
    """End one session of a user, if it is theirs; return how many ended."""
    return end_where((Session.user_id == user_id) & (Session.id == session_id), user_id, by=by)


def end_others(user_id: str, kept: str | None, *, by: Actor) -> int:
    """End all sessions of a user but one; return how many ended."""
    others = (Session.user_id == user_id) & (Session.id != (kept or ""))
    return end_where(others, user_id, by=by)


def end_named(named_digest: str, *, by: Actor) -> None:
    """End the sessions of a sid or a subject at a provider, recorded for each person."""
    named = (Session.provider_sid_digest == named_digest) | (
        Session.provider_subject_digest == named_digest
    )
    for user_id in db.session.scalars(select(Session.user_id).where(named).distinct()).all():
        end_where(named & (Session.user_id == user_id), user_id, by=by)


def end_where(condition: ColumnElement[bool], user_id: str, *, by: Actor) -> int:
    """End sessions of a user with their codes, and record how many; nothing for none.

    One that was replaced meanwhile goes on in its successor, which only another look finds.
    """
    number = 0
    while found := db.session.scalars(select(Session.id).where(condition)).all():
        for session_id in found:
            end(session_id)
        number += len(found)
    if number:
        audit.record(Tag.USER_SESSIONS_ENDED, user_id, by=by, sessions=number)
    return number
