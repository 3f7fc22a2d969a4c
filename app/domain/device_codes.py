"""Owns device codes: asked for by a device, answered by a person, withdrawn (RFC 8628)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Integer,
    Row,
    String,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, errors, user_codes
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db, insert_once

INTERVAL_SECONDS = 5
"""How long a device waits between polls, and how much longer each time it asks too often."""


class DeviceCode(Base):
    """One request of a device, by digests of its two codes; spent ones stay as other codes do."""

    __tablename__ = "device_codes"

    code_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.client_id", ondelete="CASCADE"), index=True
    )
    scopes: Mapped[list[str]] = mapped_column(JSONValue)
    resources: Mapped[list[str]] = mapped_column(JSONValue)
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger, index=True)
    interval_seconds: Mapped[int] = mapped_column(Integer)
    polled_at: Mapped[int | None] = mapped_column(BigInteger)
    allowed: Mapped[bool | None] = mapped_column(Boolean)
    """The answer of a person; empty until there is one."""
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    """Who allowed it; the tokens are theirs."""
    session_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """The browser session it was allowed in, with which it ends."""
    auth_time: Mapped[int | None] = mapped_column(BigInteger)
    spent_at: Mapped[int | None] = mapped_column(BigInteger)
    grant_id: Mapped[str | None] = mapped_column(String(36))


def issue(
    key: bytes,
    *,
    client_id: str,
    scopes: Sequence[str],
    resources: Sequence[str],
    lifetime_seconds: int,
    by: Actor,
) -> tuple[str, str]:
    """Store a request of a device; return its device code and its user code."""
    now, stored = clock.epoch(), False
    while not stored:
        code = credentials.new_secret(credentials.PREFIXES["device"])
        user_code = user_codes.new()
        stored = insert_once(
            DeviceCode,
            code_digest=credentials.digest(code),
            user_code_digest=user_codes.digest(key, user_code),
            client_id=client_id,
            scopes=list(scopes),
            resources=list(resources),
            address=by.address,
            created_at=now,
            expires_at=now + lifetime_seconds,
            interval_seconds=INTERVAL_SECONDS,
        )
    audit.record(
        Tag.DEVICE_CODE_ISSUED,
        client_id,
        by=by,
        client_id=client_id,
        scopes=list(scopes),
        resources=list(resources),
    )
    return code, user_code


def find_typed(key: bytes, typed: str) -> Row[Any] | None:
    """Return the row of a user code, whatever has become of it."""
    query = select(*DeviceCode.__table__.c)
    digest = user_codes.digest(key, user_codes.read(typed))
    return db.session.execute(query.where(DeviceCode.user_code_digest == digest)).first()


def is_open(row: Row[Any]) -> bool:
    """Tell whether a person can still answer."""
    return row.allowed is None and row.expires_at > clock.epoch()


def approve(
    row: Row[Any],
    *,
    user_id: str,
    session_id: str,
    auth_time: int,
    scopes: Sequence[str],
    by: Actor,
) -> None:
    """Let a device in as a person; raises Conflict unless it is the first answer, in time.

    ``scopes`` are those that the person was shown; nothing else is granted.
    """
    given = {"user_id": user_id, "scopes": list(scopes)}
    answer(row, allowed=True, session_id=session_id, auth_time=auth_time, **given)
    audit.record(
        Tag.DEVICE_CODE_APPROVED,
        row.client_id,
        by=by,
        client_id=row.client_id,
        resources=row.resources,
        **given,
    )


def deny(row: Row[Any], *, by: Actor) -> None:
    """Turn a device away; raises Conflict unless it is the first answer, in time."""
    answer(row, allowed=False)
    audit.record(Tag.DEVICE_CODE_DENIED, row.client_id, by=by, client_id=row.client_id)


def answer(row: Row[Any], **values: Any) -> None:
    """Store the answer of a person; the one conditional UPDATE decides whose it is."""
    answered = db.session.execute(
        update(DeviceCode)
        .where(DeviceCode.code_digest == row.code_digest)
        .where(DeviceCode.allowed.is_(None), DeviceCode.expires_at > clock.epoch())
        .values(**values)
        .returning(DeviceCode.code_digest)
        .execution_options(synchronize_session=False)
    ).first()
    if answered is None:
        raise errors.Conflict(
            "This code was answered meanwhile or is too old; start again on the device."
        )


def withdraw(
    *, client_id: str | None = None, user_id: str | None = None, session_id: str | None = None
) -> None:
    """Delete the unspent codes of a client, a user or a session, or of several together."""
    named = {
        DeviceCode.client_id: client_id,
        DeviceCode.user_id: user_id,
        DeviceCode.session_id: session_id,
    }
    conditions = [column == value for column, value in named.items() if value is not None]
    if conditions:
        db.session.execute(
            delete(DeviceCode)
            .where(DeviceCode.spent_at.is_(None), *conditions)
            .execution_options(synchronize_session=False)
        )
