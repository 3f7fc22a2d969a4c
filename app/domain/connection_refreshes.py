"""Owns the refreshing of connection grants: one process asks at a time, and the newest wins."""

from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, update

from app import clock
from app.domain import audit, connection_grants, upstream_tokens
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.connection_grants import COLUMNS, ConnectionGrant
from app.domain.upstream_tokens import Tokens
from app.extensions import db

CLAIM_SECONDS = 30
"""Who refreshes for all and says nothing for so long has died; another one refreshes then."""


def claim(row: Row[Any]) -> int | None:
    """Take the turn to refresh a grant as it was found; return until when, None without a turn.

    The one conditional UPDATE decides who of all threads and processes it is; the others look
    again until the version is another one.
    """
    now = clock.epoch()
    if (row.refreshing_until or 0) > now:
        return None
    free = or_(ConnectionGrant.refreshing_until.is_(None), ConnectionGrant.refreshing_until <= now)
    return db.session.scalar(
        update(ConnectionGrant)
        .where(unchanged(row), free)
        .values(refreshing_until=now + CLAIM_SECONDS)
        .returning(ConnectionGrant.refreshing_until)
        .execution_options(synchronize_session=False)
    )


def store_refreshed(
    row: Row[Any], tokens: Tokens, sealing_key: bytes, *, by: Actor
) -> Row[Any] | None:
    """Keep refreshed tokens of a grant as it was found; return what is there then.

    Whoever comes later than another refresh or authorization gets theirs, and None when the
    grant has ended. On record are the first refresh and the first after failures.
    """
    now = clock.epoch()
    whose = (row.id, row.connection_id, row.owner)
    stored = db.session.execute(
        update(ConnectionGrant)
        .where(unchanged(row))
        .values(
            scopes=list(tokens.scopes or row.scopes),
            expires_at=tokens.expires_at,
            version=row.version + 1,
            refreshed_at=now,
            failed_at=None,
            refreshing_until=None,
            **upstream_tokens.seals(tokens, sealing_key, whose),
        )
        .returning(*COLUMNS)
        .execution_options(synchronize_session=False)
    ).first()
    if stored is None:
        return connection_grants.find(row.connection_id, row.owner)
    if row.refreshed_at is None or row.failed_at is not None:
        audit.record(Tag.CONNECTION_REFRESHED, row.connection_id, by=by, owner=row.owner)
    return stored


def note_failure(row: Row[Any], claimed_until: int, reason: str, *, by: Actor) -> None:
    """Give the turn back after a refresh that failed; only the first of several is on record.

    Who waits sees from ``failed_at`` that asking again at once would fail as well.
    """
    now = clock.epoch()
    first = db.session.execute(
        update(ConnectionGrant)
        .where(unchanged(row), ConnectionGrant.failed_at.is_(None))
        .values(failed_at=now)
        .returning(ConnectionGrant.id)
        .execution_options(synchronize_session=False)
    ).first()
    db.session.execute(
        update(ConnectionGrant)
        .where(unchanged(row), ConnectionGrant.refreshing_until == claimed_until)
        .values(failed_at=now, refreshing_until=None)
        .execution_options(synchronize_session=False)
    )
    if first is not None:
        audit.record(
            Tag.CONNECTION_REFRESH_FAILED,
            row.connection_id,
            by=by,
            owner=row.owner,
            reason=reason,
        )


def give_up(row: Row[Any], reason: str, *, by: Actor) -> bool:
    """Forget a grant that its server refuses to refresh; tell whether it was there unchanged.

    One that was refreshed or authorized anew meanwhile stays.
    """
    return bool(connection_grants.end_where(unchanged(row), reason, by=by))


def unchanged(row: Row[Any]) -> ColumnElement[bool]:
    """Return the condition that a grant is as it was found."""
    return and_(ConnectionGrant.id == row.id, ConnectionGrant.version == row.version)
