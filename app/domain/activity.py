"""Owns what is read out of the audit trail: how often things happened, and what concerns whom."""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from app.domain import audit
from app.domain.audit import AuditEvent
from app.domain.audit_tags import Tag
from app.extensions import db


def counts(tags: Iterable[Tag], since_ms: int) -> dict[Tag, int]:
    """Return how often each of some things happened since a moment."""
    wanted = tuple(tags)
    grouped = (
        select(AuditEvent.tag, func.count())
        .where(AuditEvent.tag.in_(wanted))
        .where(AuditEvent.id >= audit.first_key(since_ms))
        .group_by(AuditEvent.tag)
    )
    found = dict(db.session.execute(grouped).all())
    return {tag: found.get(tag.value, 0) for tag in wanted}


def has_happened(tag: Tag) -> bool:
    """Tell whether something happened at any time."""
    query = select(AuditEvent.id).where(AuditEvent.tag == tag).limit(1)
    return db.session.scalar(query) is not None


def of_person(
    user_id: str, tags: Iterable[Tag], *, older_than: int | None = None, size: int
) -> Sequence[AuditEvent]:
    """Return what a person did, or what happened to their account, newest first.

    What an operator does to the accounts of others is no part of it.
    """
    mine = AuditEvent.actor_kind.in_(("user", "operator")) & (AuditEvent.actor_id == user_id)
    to_others = AuditEvent.tag.startswith("user.") & (AuditEvent.subject != "")
    query = select(AuditEvent).where(
        (mine & ~to_others) | (AuditEvent.subject == user_id), AuditEvent.tag.in_(list(tags))
    )
    if older_than is not None:
        query = query.where(AuditEvent.id < older_than)
    return db.session.scalars(query.order_by(AuditEvent.id.desc()).limit(size)).all()
