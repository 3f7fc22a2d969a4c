"""Owns how often things happened lately, counted in the audit trail."""

from collections.abc import Iterable

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
