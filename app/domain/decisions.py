"""Owns what people decide about software: approve, reject, block, and who loses a race."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, update

from app import clock
from app.domain import (
    audit,
    client_changes,
    clients,
    errors,
    four_eyes,
    generations,
    scopes,
    software,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db

DAY = 86400
BATCH = 200


def offered_scopes(row: Software) -> tuple[str, ...]:
    """Return the scopes an approval would give unless the approver narrows them."""
    return scopes.offered(row.client_metadata)


def approve(
    software_id: str,
    seen_revision: str,
    *,
    by: Actor,
    allowed: Sequence[str],
    resources: Sequence[str] | None = None,
    until: int | None = None,
    access_token_seconds: int | None = None,
    reason: str = "",
) -> Software:
    """Approve pending software as it was seen; raises Conflict when it is not that any more.

    With a scope that two people have to approve, the first of them leaves it waiting.
    """
    ceilings: dict[str, Any] = {
        "scopes": list(scopes.known(allowed)),
        "resources": None if resources is None else list(resources),
        "approved_until": until,
        "access_token_seconds": access_token_seconds,
        "reason": reason,
    }
    agreed = four_eyes.agree(software_id, seen_revision, ceilings, by=by)
    if agreed is None:
        return software.get(software_id)
    decided = {"status": "approved", "first_approval": None, **ceilings, **agreed}
    row = decide(software_id, seen_revision, Software.status == "pending", decided, by=by)
    db.session.execute(
        update(Client)
        .where(Client.software_id == row.id, Client.state != "deleted")
        .values(approved_once=True)
        .execution_options(synchronize_session=False)
    )
    ceilings["revisions"] = client_changes.adopt_revisions(row, by=by)
    facts = {"name": row.name, "revision": seen_revision, **ceilings, **agreed}
    audit.record(Tag.SOFTWARE_APPROVED, row.id, by=by, **facts)
    generations.bump("clients")
    return row


def renew(
    software_id: str, seen_until: int, *, by: Actor, until: int | None, reason: str = ""
) -> Software:
    """Give an approval that ends, or has ended, another end or none; all else stays as approved.

    What its clients held goes on. Raises Conflict when somebody has renewed or blocked it.
    """
    before = (Software.status == "approved") & (Software.approved_until == seen_until)
    values = {"approved_until": until, "reason": reason}
    row = decide(software_id, None, before, values, by=by)
    facts: dict[str, Any] = {"name": row.name, "before": seen_until, "approved_until": until}
    audit.record(Tag.SOFTWARE_RENEWED, row.id, by=by, reason=reason, **facts)
    generations.bump("clients")
    return row


def remind(days: int, *, by: Actor) -> int:
    """Tell once of each approval that ends within so many days; 0 days are never.

    Return how many were told of, at most a batch; call again while there are any.
    """
    now = clock.epoch()
    ending = (
        select(Software.id)
        .where(Software.status == "approved")
        .where(Software.approved_until > now, Software.approved_until <= now + days * DAY)
        .where(Software.reminded_of.is_distinct_from(Software.approved_until))
        .limit(BATCH)
    )
    told = db.session.execute(
        update(Software)
        .where(Software.id.in_(ending.correlate(None).with_for_update(skip_locked=True)))
        .values(reminded_of=Software.approved_until)
        .returning(Software.id, Software.name, Software.approved_until)
        .execution_options(synchronize_session=False)
    ).all()
    for software_id, name, until in told:
        audit.record(Tag.SOFTWARE_ENDING, software_id, by=by, name=name, approved_until=until)
    return len(told)


def reject(software_id: str, seen_revision: str, reason: str, *, by: Actor) -> Software:
    """Reject pending software; its clients cannot revive themselves."""
    values = {"status": "rejected", "reason": reason, "first_approval": None}
    row = decide(software_id, seen_revision, Software.status == "pending", values, by=by)
    end_clients(row, "software rejected", by=by)
    dropped = client_changes.drop_revisions(row)
    facts: dict[str, Any] = {"name": row.name, "revision": seen_revision, "revisions": dropped}
    audit.record(Tag.SOFTWARE_REJECTED, row.id, by=by, reason=reason, **facts)
    generations.bump("clients")
    return row


def block(software_id: str, reason: str, *, by: Actor) -> Software:
    """Stop approved software: all its clients, and everything they hold."""
    row = decide(
        software_id,
        None,
        Software.status == "approved",
        {"status": "blocked", "reason": reason},
        by=by,
    )
    end_clients(row, "software blocked", by=by)
    audit.record(Tag.SOFTWARE_BLOCKED, row.id, by=by, name=row.name, reason=reason)
    generations.bump("clients")
    return row


def close(software_id: str, reason: str, *, by: Actor) -> Software:
    """Let approved software take no newcomers; who uses it already goes on.

    New registrations of it are refused, and so are people who have never consented to it.
    """
    before = (Software.status == "approved") & Software.closed_at.is_(None)
    values = {"closed_at": clock.epoch(), "reason": reason}
    return turn(software_id, before, values, Tag.SOFTWARE_CLOSED, by=by)


def reopen(software_id: str, reason: str, *, by: Actor) -> Software:
    """Let approved software take newcomers again."""
    before = (Software.status == "approved") & Software.closed_at.is_not(None)
    return turn(
        software_id, before, {"closed_at": None, "reason": reason}, Tag.SOFTWARE_REOPENED, by=by
    )


def turn(
    software_id: str, before: ColumnElement[bool], values: dict[str, Any], tag: Tag, *, by: Actor
) -> Software:
    """Make a decision that ends nothing."""
    row = decide(software_id, None, before, values, by=by)
    audit.record(tag, row.id, by=by, name=row.name, reason=row.reason)
    generations.bump("clients")
    return row


def unblock(software_id: str, reason: str, *, by: Actor) -> Software:
    """Let blocked software work again; what it held stays ended."""
    row = decide(
        software_id,
        None,
        Software.status == "blocked",
        {"status": "approved", "reason": reason},
        by=by,
    )
    for client_id in clients_of(row):
        clients.end_families(client_id, "software unblocked", by=by)
    audit.record(Tag.SOFTWARE_APPROVED, row.id, by=by, name=row.name, reason=reason)
    generations.bump("clients")
    return row


def decide(
    software_id: str,
    seen_revision: str | None,
    before: ColumnElement[bool],
    values: dict[str, Any],
    *,
    by: Actor,
) -> Software:
    """Make one decision about software that is as ``before`` says; of two one gets Conflict.

    Its caller bumps the generation last of all: everybody who changes a client takes the locks of
    software, client and generation in this order.
    """
    software.get(software_id)
    statement = update(Software).where(Software.id == software_id, before)
    if seen_revision is not None:
        statement = statement.where(Software.revision == seen_revision)
    decided = values | {"decided_at": clock.epoch(), "decided_by": by.name or by.kind}
    won = db.session.execute(
        statement.values(**decided)
        .returning(Software.id)
        .execution_options(synchronize_session=False)
    ).first()
    if won is None:
        raise errors.Conflict(software.CHANGED, software_id=software_id)
    row = software.get(software_id)
    db.session.refresh(row)
    return row


def end_clients(row: Software, reason: str, *, by: Actor) -> None:
    """End what all clients of some software hold."""
    for client_id in clients_of(row):
        clients.end_holdings(client_id, reason, by=by)


def clients_of(row: Software) -> list[str]:
    """Return the identifiers of all clients of some software."""
    return list(db.session.scalars(select(Client.client_id).where(Client.software_id == row.id)))


def justify(software_id: str, text: str, *, by: Actor) -> None:
    """Keep what a person who waits says about why the software is needed."""
    row = software.get(software_id)
    if row.status != "pending":
        raise errors.Conflict(software.CHANGED, software_id=software_id)
    row.justification, row.justified_by = text[:1000], by.name
    audit.record(Tag.SOFTWARE_JUSTIFIED, row.id, by=by, text=row.justification)
