"""Owns what a device is told when it polls with its code, which is redeemed once (RFC 8628)."""

from typing import Any

from sqlalchemy import Row, case, select, update

from app import clock
from app.domain import audit, credentials, device_refusals, errors, grants
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.device_codes import INTERVAL_SECONDS, DeviceCode
from app.domain.grants import TokenRules
from app.extensions import db

FAILED = (
    "The device code is unknown or of another client, or it was used or withdrawn; start a new"
    " device authorization request."
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


def redeem(
    rules: TokenRules, row: Row[Any], *, by: Actor, methods: str = "", dpop_jkt: str | None = None
) -> dict[str, Any]:
    """Spend a code that somebody allowed and open its grant, bound to a key; raises InvalidGrant.

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
        dpop_jkt=dpop_jkt,
    )


def end_replayed(row: Row[Any], *, by: Actor) -> None:
    """End the family of a code that was redeemed before."""
    grant_id = db.session.scalar(
        select(DeviceCode.grant_id).where(DeviceCode.code_digest == row.code_digest)
    )
    if grant_id is not None:
        grants.revoke(grant_id, "device code replayed", by=by)
        audit.record(Tag.DEVICE_CODE_REPLAYED, grant_id, by=by, client_id=row.client_id)
