"""Owns updates of clients by their registrants: narrowing applies, widening waits (RFC 7592 §2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_, select, update

from app import clock
from app.domain import (
    audit,
    client_drift,
    client_lists,
    client_locks,
    client_metadata,
    client_widenings,
    errors,
    fingerprints,
    generations,
    policies,
    software,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import Client, Standing, load
from app.domain.gate_answers import GateAnswer
from app.domain.software import Software
from app.extensions import db

UNDONE = 50
"""How many updates back the metadata of a revision is looked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """A full replacement of metadata that a registrant sent for its client."""

    metadata: Mapping[str, Any]
    see: Callable[[str], Software]
    """Finds or makes the software of a fingerprint and counts the arrival."""
    notes: tuple[str, ...] = ()
    """What an approver should look at twice."""
    gate: GateAnswer | None = None
    """What the registration gate said about it."""
    statement_issuer: str = ""
    """Who vouches for it by a software statement."""


def apply(client: Client, change: Change, *, by: Actor) -> None:
    """Replace the metadata of a client, or store it as a revision that waits for approval.

    Pending clients are replaced outright: nothing was approved yet. Raises AccessDenied for
    clients that were stopped; they cannot revive themselves.
    """
    record = load(client.client_id)
    standing = record.standing(clock.epoch()) if record is not None else Standing.DELETED
    if record is None or standing not in (Standing.PENDING, Standing.ACTIVE):
        raise errors.AdmissionRefused(
            "This client is stopped and can only be read or deleted;"
            " ask the operators of this server."
        )
    check_secret(client.client_metadata, change.metadata)
    before = dict(client.client_metadata)
    if standing is Standing.PENDING:
        replace_pending(client, change)
    else:
        replace_active(client, change, record.scopes, by=by)
    after = dict(client.pending_metadata or client.client_metadata)
    detail = audit.changes(before, after) | {"waits_for_approval": bool(client.pending_metadata)}
    if change.gate is not None:
        client_locks.bound(client, change.gate.bounds)
        detail["gate"] = change.gate.as_json()
    audit.record(Tag.CLIENT_UPDATED, client.client_id, by=by, client_id=client.client_id, **detail)
    generations.bump("clients")


def check_secret(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Refuse an update that would need a new secret: it could not be delivered.

    Whoever begins to sign with a secret needs one, because of the old one there is a digest alone.
    """
    begins = client_metadata.has_secret(after) and not client_metadata.has_secret(before)
    signs = client_metadata.signs_with_secret
    if begins or (signs(after) and not signs(before)):
        raise errors.InvalidClientMetadata(
            "A client cannot get a secret by an update, nor begin to sign with one; keep its"
            " token_endpoint_auth_method or register a new client."
        )


def replace_pending(client: Client, change: Change) -> None:
    """Replace the metadata of a client that nobody has approved."""
    old = software.get(client.software_id)
    mark = fingerprints.of_change(client.client_id, change.metadata, change.statement_issuer)
    vouched_anew = bool(change.statement_issuer) and mark != old.fingerprint
    if dict(change.metadata) == client.client_metadata and not vouched_anew:
        return
    its_own = mark == old.fingerprint or client.source == "cimd"
    if its_own and client_lists.is_only_client(old.id, client.client_id):
        target = software.describe(old, change.metadata, change.notes)
    else:
        if mark == old.fingerprint:
            mark = fingerprints.of_variant(client.client_id, change.metadata)
        target = admissible(change.see(mark))
    client_locks.claim(client)
    client.software_id = target.id
    client.approved_once = client.approved_once or target.status == "approved"
    put_in_force(client, change.metadata)
    db.session.flush()
    forget_unused(old.id)


def replace_active(client: Client, change: Change, ceiling: frozenset[str], *, by: Actor) -> None:
    """Apply a narrowing at once; keep a widening as a revision beside what serves."""
    superseded, target = client.pending_software_id, None
    if client_widenings.of(client.client_metadata, change.metadata, ceiling):
        target = waiting_software(client, change)
    else:
        client_drift.end_outdated(client, change.metadata, by=by)
    client_locks.claim(client)
    if target is None:
        client.pending_metadata = client.pending_software_id = None
        put_in_force(client, change.metadata)
    else:
        client.pending_metadata, client.pending_software_id = dict(change.metadata), target.id
    db.session.flush()
    if target is not None and target.status == "approved":
        adopt_revisions(target, by=by)
        db.session.flush()
    if superseded is not None:
        forget_unused(superseded)


def waiting_software(client: Client, change: Change) -> Software:
    """Return the software whose approval puts a widening in force, showing exactly that.

    What other clients wait for as well is never changed under the eyes of an approver.
    """
    wanted = fingerprints.revision(change.metadata)
    mark = fingerprints.of_change(client.client_id, change.metadata, change.statement_issuer)
    known = software.find_by_fingerprint(mark)
    if known is not None:
        differs = known.status == "pending" and known.revision != wanted
        shared = differs and not client_lists.is_only_client(known.id, client.client_id)
        if shared or known.id == client.software_id:
            mark = fingerprints.of_variant(client.client_id, change.metadata)
    target = admissible(change.see(mark))
    if target.status == "pending" and target.revision != wanted:
        software.describe(target, change.metadata, change.notes)
    return target


def put_in_force(client: Client, metadata: Mapping[str, Any]) -> None:
    """Let new metadata serve; a secret that they do not use, or do not sign with, is gone."""
    client.client_metadata = dict(metadata)
    if not client_metadata.has_secret(metadata):
        client.secret_digest = client.old_secret_digest = None
    if not client_metadata.signs_with_secret(metadata):
        client.secret_sealed = client.old_secret_sealed = None


def admissible(target: Software) -> Software:
    """Refuse to move a client to software that people refused."""
    if target.status in ("pending", "approved"):
        return target
    raise errors.AdmissionRefused(policies.REFUSED)


def adopt_revisions(target: Software, *, by: Actor) -> int:
    """Put the waiting revisions in force whose software was approved; return how many."""
    revised = select(Client).where(Client.pending_software_id == target.id)
    waiting = db.session.scalars(revised).all()
    for client in waiting:
        client_drift.end_outdated(client, client.pending_metadata or {}, by=by)
        put_in_force(client, client.pending_metadata or {})
        client.software_id = target.id
        client.pending_metadata = client.pending_software_id = None
        client.approved_once = True
    return len(waiting)


def drop_revisions(target: Software) -> int:
    """Forget the waiting revisions whose software was refused; return how many.

    What is in force stays.
    """
    dropped = db.session.execute(
        update(Client)
        .where(Client.pending_software_id == target.id)
        .values(pending_metadata=None, pending_software_id=None)
        .returning(Client.client_id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(dropped)


def as_seen(row: Software, seen_revision: str) -> dict[str, Any] | None:
    """Return the metadata of an earlier revision, by undoing recorded updates until it fits."""
    own = select(Client.client_id).where(Client.software_id == row.id).limit(2)
    client_ids = db.session.scalars(own).all()
    if len(client_ids) != 1:
        return None  # metadata that several clients share is never replaced
    updates = audit.Filters(tag=Tag.CLIENT_UPDATED, client_id=client_ids[0])
    metadata = dict(row.client_metadata)
    for event in audit.find_page(updates, size=UNDONE):
        added = event.detail["after"]
        metadata = {name: metadata[name] for name in metadata if name not in added}
        metadata |= event.detail["before"]
        if fingerprints.revision(metadata) == seen_revision:
            return metadata
    return None


def forget_unused(software_id: str) -> None:
    """Delete undecided software that no client refers to any more.

    One that somebody decides about right now is left: the decision may wait for our client.
    """
    users = select(Client.client_id).where(
        or_(Client.software_id == software_id, Client.pending_software_id == software_id)
    )
    unused = (
        select(Software.id)
        .where(Software.id == software_id, Software.status == "pending", ~users.exists())
        .with_for_update(skip_locked=True)
    )
    db.session.execute(
        delete(Software)
        .where(Software.id.in_(unused.correlate(None)))
        .execution_options(synchronize_session=False)
    )
