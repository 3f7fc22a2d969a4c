"""Owns the clean-up: what waited too long expires, what nobody uses ends, the dead is purged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, or_, select, update

from app import clock
from app.domain import audit, clients, errors, generations, recycling, retention
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import Client
from app.domain.grants import Grant
from app.domain.recycling import SELF_REGISTERED
from app.domain.software import Software
from app.extensions import db

DAY = 86400
Found = Row[str, str, int]
"""Identifier, name, and when it was last seen or used."""
BATCH = 200
"""So many of each are swept in one transaction."""
SHOWN = 50


@dataclass(frozen=True, slots=True)
class SweepRules:
    """How many days are too long; 0 is never."""

    pending_days: int
    """Software that nobody decides about expires after so many days without an arrival."""
    unused_days: int
    """A self-registered client without a living grant is deleted after so many days unused."""


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep would do now: numbers, and the first of those that people look at."""

    pending: int
    software: Sequence[Found]
    """Software that would expire."""
    unused: int
    clients: Sequence[Found]
    """Clients that would be deleted."""
    forgotten: int
    """Software that expired long ago and would be forgotten with its registrations."""
    registrations: int
    """Never-used registrations of decided software that would be recycled."""
    rows: dict[str, int]
    """Dead rows by kind."""

    @property
    def total(self) -> int:
        """Return how much would be done in all."""
        counted = self.pending + self.unused + self.forgotten + self.registrations
        return counted + sum(self.rows.values())


def due(rules: SweepRules) -> Due:
    """Return what a sweep would do now; changes nothing."""
    now = clock.epoch()
    late, idle = waiting(rules, now), unused(rules, now)
    old = expired(now - rules.pending_days * DAY if rules.pending_days else 0)
    return Due(
        pending=number_of(late),
        software=db.session.execute(late.order_by(Software.last_seen_at).limit(SHOWN)).all(),
        unused=number_of(idle),
        clients=db.session.execute(idle.order_by(Client.client_id).limit(SHOWN)).all(),
        forgotten=number_of(old),
        registrations=number_of(recycling.too_old(now)),
        rows=retention.count(),
    )


def sweep(rules: SweepRules, *, by: Actor) -> dict[str, int]:
    """Do at most a batch of each; return how much was done. Call again while there is any."""
    now = clock.epoch()
    return {
        "expired software": expire(rules, now, by=by),
        "unused clients": end_unused(rules, now, by=by),
        "forgotten software": forget_old(rules, now, by=by),
        "never used registrations": recycling.recycle_old(now, BATCH, by=by),
        **retention.purge(),
    }


def expire(rules: SweepRules, now: int, *, by: Actor) -> int:
    """Let software expire that nobody decided about; whoever decides meanwhile is faster."""
    found = db.session.execute(waiting(rules, now).limit(BATCH)).all()
    done = 0
    for software_id, name, seen_at in found:
        won = db.session.execute(
            update(Software)
            .where(Software.id == software_id, Software.status == "pending")
            .where(Software.last_seen_at == seen_at)
            .values(status="expired", decided_at=now, decided_by=by.name or by.kind)
            .returning(Software.id)
            .execution_options(synchronize_session=False)
        ).first()
        if won is not None:
            audit.record(Tag.SOFTWARE_EXPIRED, software_id, by=by, name=name, last_seen_at=seen_at)
            done += 1
    if done:
        generations.bump("clients")
    return done


def end_unused(rules: SweepRules, now: int, *, by: Actor) -> int:
    """Delete clients that nobody uses; a tombstone of each stays."""
    done = 0
    for client_id, _, _ in db.session.execute(unused(rules, now).limit(BATCH)).all():
        client = clients.find(client_id)
        still = unused(rules, now).where(Client.client_id == client_id)
        if client is None or db.session.execute(still).first() is None:
            continue
        try:
            clients.delete(client, "unused", by=by)
        except (errors.Conflict, errors.NotFound):
            db.session.refresh(client)
            continue
        done += 1
    return done


def forget_old(rules: SweepRules, now: int, *, by: Actor) -> int:
    """Forget software that expired long ago."""
    old = expired(now - rules.pending_days * DAY if rules.pending_days else 0)
    found = db.session.scalars(old.with_only_columns(Software.id).limit(BATCH)).all()
    for software_id in found:
        forget(software_id, by=by)
    return len(found)


def forget(software_id: str, *, by: Actor) -> None:
    """Remove expired software with its registrations, so that it can come again as new.

    Raises Conflict unless it has expired and none of its clients was ever approved.
    """
    found = db.session.execute(expired(clock.epoch() + 1).where(Software.id == software_id)).first()
    if found is None:
        raise errors.Conflict("Only software that expired undecided can be forgotten.")
    db.session.execute(delete(Client).where(Client.software_id == software_id))
    db.session.execute(delete(Software).where(Software.id == software_id))
    audit.record(Tag.SOFTWARE_FORGOTTEN, software_id, by=by, name=found.name)
    generations.bump("clients")


def waiting(rules: SweepRules, now: int) -> Select[str, str, int]:
    """Select software that has waited too long since it last arrived."""
    return select(Software.id, Software.name, Software.last_seen_at).where(
        Software.status == "pending", before(Software.last_seen_at, rules.pending_days, now)
    )


def expired(until: int) -> Select[str, str, int]:
    """Select software that expired and last came before a moment, of no client ever approved."""
    kept = select(Client.client_id).where(
        or_(Client.software_id == Software.id, Client.pending_software_id == Software.id),
        or_(Client.approved_once, Client.pending_software_id == Software.id),
    )
    return select(Software.id, Software.name, Software.last_seen_at).where(
        Software.status == "expired",
        Software.decided_at < until,
        Software.last_seen_at < until,
        ~kept.exists(),
    )


def unused(rules: SweepRules, now: int) -> Select[str, str, int]:
    """Select self-registered clients that nobody has used for long and no grant lives of."""
    living = select(Grant.id).where(
        Grant.client_id == Client.client_id, Grant.revoked_at.is_(None), Grant.expires_at > now
    )
    last = func.coalesce(Client.last_used_at, Client.created_at)
    return (
        select(Client.client_id, Software.name, last)
        .join(Software, Software.id == Client.software_id)
        .where(
            Client.state == "live",
            Client.source.in_(SELF_REGISTERED),
            Client.approved_once,
            before(last, rules.unused_days, now),
            ~living.exists(),
        )
    )


def before(column: Any, days: int, now: int) -> ColumnElement[bool]:
    """Compare a time with so many days ago; 0 days are never over."""
    limit = now - days * DAY if days else 0
    found: ColumnElement[bool] = column < limit
    return found


def number_of(query: Any) -> int:
    """Count what a query selects."""
    return int(db.session.scalar(select(func.count()).select_from(query.subquery())) or 0)
