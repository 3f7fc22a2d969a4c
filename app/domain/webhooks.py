"""Owns webhook endpoints and what became of each delivery; a secret is shown once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, update

from app import clock
from app.domain import announcements, audit, credentials, errors, jobs
from app.domain.announcements import Delivery, Endpoint
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.extensions import db, insert_once

ENVIRONMENT = "environment"
"""The endpoint that the settings name; its secrets are the settings' own."""
OVERLAP_SECONDS = 86400
"""How long both secrets sign after a rotation."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """What is to be sent where; ``keys`` sign it, the newest first."""

    delivery_id: str
    endpoint_id: str
    url: str
    body: str
    keys: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt; ``failure`` is empty when the endpoint took it."""

    failure: str = ""
    status: int | None = None
    answer: str = ""
    took_ms: int = 0
    final: bool = False
    """Whether trying again is of no use."""


def create(
    url: str, sealing_key: bytes, *, by: Actor, description: str = "", events: Sequence[str] = ()
) -> tuple[Endpoint, str]:
    """Tell an endpoint of events from now on; return it and its secret, shown here only."""
    row_id, secret = credentials.new_id(), credentials.new_webhook_secret()
    row = Endpoint(
        id=row_id,
        url=url,
        description=description,
        events=list(events),
        state="on",
        secret_sealed=seal(sealing_key, secret, row_id),
        lost=0,
        created_at=clock.epoch(),
    )
    db.session.add(row)
    db.session.flush()
    audit.record(Tag.WEBHOOK_CREATED, row_id, by=by, url=url, events=row.events)
    return row, secret


def adopt(url: str) -> None:
    """Keep the endpoint that the settings name; an empty URL ends it."""
    if not url:
        jobs.remove(ENVIRONMENT)
        db.session.execute(delete(Endpoint).where(Endpoint.id == ENVIRONMENT))
        return
    facts = {"url": url, "description": "", "events": [], "state": "on", "lost": 0}
    if not insert_once(Endpoint, id=ENVIRONMENT, created_at=clock.epoch(), **facts):
        moved = update(Endpoint).where(Endpoint.id == ENVIRONMENT, Endpoint.url != url)
        db.session.execute(moved.values(url=url))


def rotate(row: Endpoint, sealing_key: bytes, *, by: Actor) -> str:
    """Return a new secret; the old one signs beside it for a day."""
    check_own(row)
    secret = credentials.new_webhook_secret()
    row.old_secret_sealed, row.secret_sealed = (
        row.secret_sealed,
        seal(sealing_key, secret, row.id),
    )
    row.old_secret_until = clock.epoch() + OVERLAP_SECONDS
    audit.record(Tag.WEBHOOK_SECRET_ROTATED, row.id, by=by, old_until=row.old_secret_until)
    return secret


def switch(row: Endpoint, state: str, *, by: Actor) -> None:
    """Switch an endpoint ``on`` or ``off``; while off it is told nothing, and nothing is kept."""
    if row.state == state:
        raise errors.Conflict("The endpoint is switched that way already.")
    row.state = state
    tag = Tag.WEBHOOK_SWITCHED_ON if state == "on" else Tag.WEBHOOK_SWITCHED_OFF
    audit.record(tag, row.id, by=by, url=row.url)


def remove(row: Endpoint, *, by: Actor) -> None:
    """Forget an endpoint, what waits for it, and what it was told."""
    check_own(row)
    jobs.remove(row.id)
    db.session.execute(delete(Endpoint).where(Endpoint.id == row.id))
    audit.record(Tag.WEBHOOK_REMOVED, row.id, by=by, url=row.url)


def check_own(row: Endpoint) -> None:
    """Refuse to change what the settings say."""
    if row.id == ENVIRONMENT:
        raise errors.Conflict("This endpoint is set in the environment; change it there.")


def test(row: Endpoint, *, by: Actor) -> None:
    """Send an event that means nothing."""
    announcements.enqueue(row, announcements.TEST, row.id, {"id": row.id})
    audit.record(Tag.WEBHOOK_TESTED, row.id, by=by, url=row.url)


def redeliver(row: Delivery, *, by: Actor) -> None:
    """Send an event once more, under the identifier it had; raises Conflict while it waits."""
    claimed = db.session.execute(
        update(Delivery)
        .where(Delivery.id == row.id, Delivery.state != "waiting")
        .values(state="waiting")
        .returning(Delivery.id)
    ).first()
    if claimed is None:
        raise errors.Conflict("This event waits for its delivery already.")
    if not jobs.revive(row.job_id):
        payload = {"delivery": row.id}
        row.job_id = jobs.add(announcements.KIND, payload, queue=row.endpoint_id, topic=row.subject)
    audit.record(Tag.WEBHOOK_REDELIVERED, row.endpoint_id, by=by, delivery=row.id, event=row.event)


def shipment(payload: Mapping[str, Any], sealing_key: bytes) -> Shipment | None:
    """Return what a job sends; None when its endpoint was switched off or removed."""
    row = db.session.get(Delivery, payload["delivery"])
    endpoint = db.session.get(Endpoint, row.endpoint_id) if row is not None else None
    if row is None or endpoint is None or endpoint.state != "on":
        return None
    overlaps = (endpoint.old_secret_until or 0) > clock.epoch()
    sealed = [endpoint.secret_sealed, endpoint.old_secret_sealed if overlaps else None]
    keys = tuple(unseal(sealing_key, each, endpoint.id) for each in sealed if each is not None)
    return Shipment(row.id, endpoint.id, endpoint.url, row.body, keys)


def note(payload: Mapping[str, Any], outcome: Outcome, state: str) -> None:
    """Keep what became of the attempt of a job, and in which state that has left it."""
    db.session.execute(
        update(Delivery)
        .where(Delivery.id == payload["delivery"])
        .values(
            state="delivered" if state == "done" else state,
            attempts=Delivery.attempts + 1,
            failure=outcome.failure or None,
            status=outcome.status,
            answer=outcome.answer,
            took_ms=outcome.took_ms,
            tried_at=clock.epoch(),
        )
    )


def seal(key: bytes, secret: str, row_id: str) -> bytes:
    """Seal a secret for one row."""
    return credentials.seal(key, credentials.webhook_key(secret), f"webhook_endpoints:{row_id}")


def unseal(key: bytes, sealed: bytes, row_id: str) -> bytes:
    """Open what ``seal`` made."""
    return credentials.unseal(key, sealed, f"webhook_endpoints:{row_id}")


def find_all() -> list[Endpoint]:
    """Return all endpoints, oldest first."""
    return list(db.session.scalars(select(Endpoint).order_by(Endpoint.created_at, Endpoint.id)))


def get(endpoint_id: str) -> Endpoint:
    """Return one endpoint; raises NotFound."""
    row = None if "\0" in endpoint_id else db.session.get(Endpoint, endpoint_id)
    if row is None:
        raise errors.NotFound("There is no webhook endpoint with this identifier.")
    return row


def get_delivery(delivery_id: str) -> Delivery:
    """Return one delivery; raises NotFound."""
    row = None if "\0" in delivery_id else db.session.get(Delivery, delivery_id)
    if row is None:
        raise errors.NotFound("There is no delivery with this identifier.")
    return row


def find_deliveries(
    endpoint_id: str,
    *,
    state: str = "",
    older_than: str | None = None,
    newer_than: str | None = None,
    size: int,
) -> list[Delivery]:
    """Return at most ``size`` deliveries of an endpoint, newest first, beside a neighbour's key."""
    query = select(Delivery).where(Delivery.endpoint_id == endpoint_id)
    query = query.where(Delivery.state == state) if state else query
    if newer_than is not None:
        rising = query.where(Delivery.id > newer_than).order_by(Delivery.id)
        return list(reversed(db.session.scalars(rising.limit(size)).all()))
    if older_than is not None:
        query = query.where(Delivery.id < older_than)
    return list(db.session.scalars(query.order_by(Delivery.id.desc()).limit(size)))
