"""Owns the outbox: what webhooks are told, written in the transaction of what happened."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.domain import credentials, jobs
from app.domain.audit_tags import Tag
from app.extensions import Base, JSONValue, db

KIND = "deliver webhook"
MOST_WAITING = 10_000
"""An endpoint that is away so long that more wait for it loses what comes then; it is counted."""
LONGEST_TEXT = 500

EVENTS = {
    Tag.CLIENT_REGISTERED: "client.registered",
    Tag.CLIENT_CREATED: "client.registered",
    Tag.CLIENT_UPDATED: "client.updated",
    Tag.CLIENT_DELETED: "client.deleted",
    Tag.CLIENT_SUSPENDED: "client.suspended",
    Tag.CLIENT_SECRET_ROTATED: "client.secret_rotated",
    Tag.SOFTWARE_APPROVED: "software.approved",
    Tag.SOFTWARE_RENEWED: "software.approved",
    Tag.SOFTWARE_REJECTED: "software.rejected",
    Tag.SOFTWARE_BLOCKED: "software.blocked",
    Tag.SOFTWARE_CLOSED: "software.closed",
    Tag.SOFTWARE_REOPENED: "software.reopened",
    Tag.SOFTWARE_UNDECIDED: "software.undecided",
    Tag.SOFTWARE_EXPIRED: "software.expired",
    Tag.SOFTWARE_ENDING: "software.ending",
    Tag.POLICY_CHANGED: "policy.changed",
    Tag.MODE_CHANGED: "policy.changed",
    Tag.CIMD_SWITCHED: "policy.changed",
}
"""What is told of what the audit trail records; everything else stays inside."""
NAMES = tuple(dict.fromkeys(EVENTS.values()))
TEST = "webhook.test"
TOLD = (
    "name",
    "software_id",
    "outcome",
    "rule",
    "reason",
    "scopes",
    "resources",
    "approved_until",
    "revision",
    "waits_for_approval",
    "old_until",
    "note",
)
"""Members of the detail that are told; none of them is a credential."""


class Endpoint(Base):
    """Where events are sent; ``state`` is ``on`` or ``off``."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    url: Mapped[str] = mapped_column(String(2048))
    description: Mapped[str] = mapped_column(String(200))
    events: Mapped[list[str]] = mapped_column(JSONValue)
    """The events it wants; an empty list is all of them."""
    state: Mapped[str] = mapped_column(String(16))
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_until: Mapped[int | None] = mapped_column(BigInteger)
    lost: Mapped[int] = mapped_column(Integer)
    """How many events were not kept for it because too many waited."""
    created_at: Mapped[int] = mapped_column(BigInteger)


class Delivery(Base):
    """One event for one endpoint; ``state`` is ``waiting``, ``delivered`` or ``dead``."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(2048))
    body: Mapped[str] = mapped_column(Text)
    """What is sent, byte for byte, at every attempt."""
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[str | None] = mapped_column(Text)
    failure: Mapped[str | None] = mapped_column(String(40))
    took_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(BigInteger, index=True)
    tried_at: Mapped[int | None] = mapped_column(BigInteger)
    job_id: Mapped[int] = mapped_column(BigInteger)


def announce(tag: Tag, subject: str, by: tuple[str, str], detail: Mapping[str, Any]) -> None:
    """Keep an event for every endpoint that wants it, in the transaction of what happened.

    ``by`` is the kind and the name of who did it.
    """
    event = EVENTS.get(tag)
    if event is None:
        return
    for endpoint in listeners(event):
        enqueue(endpoint, event, subject, told(subject, by, detail))


def listeners(event: str) -> list[Endpoint]:
    """Return the endpoints that want an event, in the order in which they were made."""
    rows = db.session.scalars(select(Endpoint).where(Endpoint.state == "on").order_by(Endpoint.id))
    return [row for row in rows if not row.events or event in row.events]


def enqueue(endpoint: Endpoint, event: str, subject: str, data: Mapping[str, Any]) -> None:
    """Keep one event for one endpoint, unless far too many wait for it already."""
    if jobs.count_waiting(endpoint.id, MOST_WAITING) >= MOST_WAITING:
        endpoint.lost += 1
        return
    delivery_id, moment = credentials.new_id(), clock.epoch()
    body = {"type": event, "timestamp": clock.instant(moment), "data": data}
    job = jobs.add(KIND, {"delivery": delivery_id}, queue=endpoint.id, topic=subject)
    db.session.add(
        Delivery(
            id=delivery_id,
            endpoint_id=endpoint.id,
            event=event,
            subject=subject,
            body=orjson.dumps(body).decode(),
            state="waiting",
            attempts=0,
            created_at=moment,
            job_id=job,
        )
    )
    db.session.flush()


def told(subject: str, by: tuple[str, str], detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what others may know of an event: what it is about, who did it, and why."""
    metadata = detail.get("evidence", detail).get("metadata", {})
    named = {"name": metadata["client_name"]} if "client_name" in metadata else {}
    facts = named | {name: detail[name] for name in TOLD if detail.get(name) is not None}
    known = {name: shortened(value) for name, value in facts.items()}
    return {"id": subject, "by": {"kind": by[0], "name": by[1]}, **known}


def shortened(value: Any) -> Any:
    """Return a value with long texts cut."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return [shortened(each) for each in value] if isinstance(value, Sequence) else value
