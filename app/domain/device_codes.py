"""Owns device codes: asked for by a device, allowed by a person, redeemed once (RFC 8628)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Integer,
    Row,
    String,
    case,
    delete,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import audit, credentials, device_refusals, errors, grants, user_codes
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.grants import TokenRules
from app.extensions import Base, JSONValue, db, insert_once

INTERVAL_SECONDS = 5
"""How long a device waits between polls, and how much longer each time it asks too often."""
FAILED = (
    "The device code is unknown or of another client, or it was used or withdrawn; start a new"
    " device authorization request."
)


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


def poll(value: str, client_id: str) -> Row[Any]:
    """Return the row of a code that somebody allowed; raises what the device is told instead.

    Whether it is still unspent is for ``redeem`` to say.
    """
    query = select(*DeviceCode.__table__.c)
    found = query.where(DeviceCode.code_digest == credentials.digest(value))
    row = db.session.execute(found).first()
    if row is None or row.client_id != client_id:
        raise errors.InvalidGrant(FAILED, reason="unknown or of another client")
    if row.spent_at is None and row.expires_at <= clock.epoch():
        raise device_refusals.ExpiredToken(
            "The device code is too old; start a new device authorization request."
        )
    if row.allowed is None:
        note_poll(row)
        raise device_refusals.AuthorizationPending(
            "The person has not answered yet; ask again after the interval."
        )
    if not row.allowed:
        raise errors.AccessDenied("The person did not allow the access.")
    return row


def note_poll(row: Row[Any]) -> None:
    """Note when a device asks; raises SlowDown when it is too often, which lengthens the interval.

    The longer interval stays (section 3.5).
    """
    now, usual = clock.epoch(), DeviceCode.interval_seconds
    too_soon = DeviceCode.polled_at > now - usual
    interval = db.session.scalar(
        update(DeviceCode)
        .where(DeviceCode.code_digest == row.code_digest)
        .values(
            polled_at=now,
            interval_seconds=case((too_soon, usual + INTERVAL_SECONDS), else_=usual),
        )
        .returning(usual)
        .execution_options(synchronize_session=False)
    )
    if interval is not None and interval > row.interval_seconds:
        raise device_refusals.SlowDown(
            "The device asks too often; wait five seconds longer before each request from now on."
        )


def redeem(rules: TokenRules, row: Row[Any], *, by: Actor, methods: str = "") -> dict[str, Any]:
    """Spend a code that somebody allowed and open its grant; raises InvalidGrant.

    A second time is a replay and ends the family of the first, as with authorization codes.
    """
    now, grant_id = clock.epoch(), credentials.new_id()
    spent = db.session.execute(
        update(DeviceCode)
        .where(DeviceCode.code_digest == row.code_digest, DeviceCode.allowed.is_(True))
        .where(DeviceCode.spent_at.is_(None), DeviceCode.expires_at > now)
        .values(spent_at=now, grant_id=grant_id)
        .returning(DeviceCode.code_digest)
        .execution_options(synchronize_session=False)
    ).first()
    if spent is None:
        end_replayed(row, by=by)
        raise errors.InvalidGrant(FAILED, reason="used, expired or withdrawn")
    audit.record(Tag.DEVICE_CODE_REDEEMED, grant_id, by=by, client_id=row.client_id)
    return grants.open_new(
        rules,
        grant_id=grant_id,
        client_id=row.client_id,
        user_id=row.user_id,
        scopes=row.scopes,
        resources=row.resources,
        auth_time=row.auth_time,
        methods=methods,
    )


def end_replayed(row: Row[Any], *, by: Actor) -> None:
    """End the family of a code that was redeemed before."""
    grant_id = db.session.scalar(
        select(DeviceCode.grant_id).where(DeviceCode.code_digest == row.code_digest)
    )
    if grant_id is not None:
        grants.revoke(grant_id, "device code replayed", by=by)
        audit.record(Tag.DEVICE_CODE_REPLAYED, grant_id, by=by, client_id=row.client_id)


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
