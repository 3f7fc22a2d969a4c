"""Owns the audit trail: one row for each thing that happened, written beside the change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, Select, String, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import announcements, generations
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db, to_json, write_row


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it; built by the door, handed to the verb."""

    kind: str
    """``operator``, ``user``, ``client``, ``anonymous``, ``rule``, ``initial_token``,
    ``cli`` or ``server``."""
    id: str = ""
    name: str = ""
    address: str = ""
    request_id: str = ""


DISORDER_MS = 60_000
"""Two events may have times in another order than their keys, by so much at most."""
SERVER = Actor("server", name="gatewright")


class AuditEvent(Base):
    """One event; rows are only ever inserted."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_tag_id", "tag", "id"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at_ms: Mapped[int] = mapped_column(BigInteger)
    tag: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(2048), index=True)
    client_id: Mapped[str | None] = mapped_column(String(2048), index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(2048), index=True)
    actor_name: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str] = mapped_column(String(64), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONValue)


INSERT = insert(AuditEvent.__table__)  # type: ignore[arg-type]  # a declared table is a Table
INSERT_ALONE = (
    "INSERT INTO audit_events (at_ms, tag, subject, client_id, actor_kind, actor_id, actor_name,"
    " address, request_id, detail) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
)
INSERT_UNLESS_CHANGED = f"{INSERT_ALONE} WHERE {generations.UNCHANGED}"


def record(
    tag: Tag, subject: str, *, by: Actor, client_id: str | None = None, **detail: Any
) -> None:
    """Record an event in the transaction of the change it describes.

    ``subject`` is the identifier of what the tag is about. ``detail`` holds JSON values and
    never a credential. What webhooks are told of it is kept in the same transaction.
    """
    db.session.execute(INSERT, values(tag, subject, by, client_id, detail))
    announcements.announce(tag, subject, (by.kind, by.name), detail)


def record_alone(
    tag: Tag,
    subject: str,
    *,
    by: Actor,
    client_id: str | None = None,
    decided_at: Mapping[str, int] | None = None,
    **detail: Any,
) -> None:
    """Record an event that changes nothing else, such as a self-contained token; committed here.

    ``decided_at`` are the generations of the records by which it was allowed; raises Changed,
    and records nothing, when there are newer ones.
    """
    row = values(tag, subject, by, client_id, to_json(detail)).values()
    if decided_at is None:
        write_row(INSERT_ALONE, *row)
    elif not write_row(INSERT_UNLESS_CHANGED, *row, decided_at["clients"], decided_at["keys"]):
        raise generations.Changed


def values(tag: Tag, subject: str, by: Actor, client_id: str | None, detail: Any) -> dict[str, Any]:
    """Return the columns of an event, in the order of ``INSERT_ALONE``."""
    return {
        "at_ms": clock.epoch_milliseconds(),
        "tag": tag.value,
        "subject": subject,
        "client_id": client_id,
        "actor_kind": by.kind,
        "actor_id": by.id,
        "actor_name": by.name,
        "address": by.address,
        "request_id": by.request_id,
        "detail": detail,
    }


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{"before": …, "after": …}`` with only the members that differ."""
    names = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look for; empty members do not narrow."""

    tag: str = ""
    """A tag, or the kind of its subject for all tags of that kind."""
    client_id: str = ""
    actor: str = ""
    """Identifier or name of who did it."""
    request_id: str = ""
    subject: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


def find_page(
    filters: Filters, *, older_than: int | None = None, newer_than: int | None = None, size: int
) -> Sequence[AuditEvent]:
    """Return at most ``size`` events, newest first, before or after the key of a neighbour."""
    query = select(AuditEvent)
    for column, value in (
        (AuditEvent.client_id, filters.client_id),
        (AuditEvent.request_id, filters.request_id),
        (AuditEvent.subject, filters.subject),
    ):
        query = query.where(column == value) if value else query
    if filters.tag:
        query = query.where(AuditEvent.tag.in_(tags_of(filters.tag)))
    if filters.actor:
        query = query.where(
            (AuditEvent.actor_id == filters.actor) | (AuditEvent.actor_name == filters.actor)
        )
    query = within(query, filters.since_ms, filters.until_ms)
    if newer_than is not None:
        query = query.where(AuditEvent.id > newer_than).order_by(AuditEvent.id)
        return list(reversed(db.session.scalars(query.limit(size)).all()))
    if older_than is not None:
        query = query.where(AuditEvent.id < older_than)
    return db.session.scalars(query.order_by(AuditEvent.id.desc()).limit(size)).all()


def tags_of(name: str) -> tuple[Tag, ...]:
    """Return the tag of this name, or the tags whose subject is of this kind."""
    return tuple(tag for tag in Tag if name in (tag.value, tag.kind))


def within(
    query: Select[AuditEvent], since_ms: int | None, until_ms: int | None
) -> Select[AuditEvent]:
    """Keep events of a time; the bounds of the key keep the database from reading all others."""
    if since_ms is not None:
        query = query.where(
            AuditEvent.at_ms >= since_ms, AuditEvent.id >= first_key(since_ms - DISORDER_MS)
        )
    if until_ms is not None:
        query = query.where(
            AuditEvent.at_ms < until_ms, AuditEvent.id < first_key(until_ms + DISORDER_MS)
        )
    return query


def first_key(at_ms: int) -> int:
    """Return the key at which events begin to be at or after a moment, by halving the trail."""
    low, high = 0, (db.session.scalar(select(func.max(AuditEvent.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = db.session.execute(
            select(AuditEvent.id, AuditEvent.at_ms)
            .where(AuditEvent.id >= middle)
            .order_by(AuditEvent.id)
            .limit(1)
        ).first()
        if found is None or found.at_ms >= at_ms:
            high = middle
        else:
            low = found.id + 1
    return low


def find(event_id: int) -> AuditEvent | None:
    """Return one event."""
    return db.session.get(AuditEvent, event_id) if event_id < 2**63 else None
