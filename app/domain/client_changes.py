"""Owns updates of clients by their registrants: narrowing applies, widening waits (RFC 7592 §2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, or_, select, update

from app import clock
from app.domain import audit, client_records, credentials, errors, generations, software
from app.domain.audit import Actor, Tag
from app.domain.client_records import Client, Standing
from app.domain.software import Software
from app.extensions import db

WATCHED = (
    "client_name",
    "client_uri",
    "logo_uri",
    "tos_uri",
    "policy_uri",
    "contacts",
    "jwks",
    "jwks_uri",
    "token_endpoint_auth_method",
    "software_id",
)
"""Members whose change an approver must see, whatever the new value is."""


@dataclass(frozen=True, slots=True)
class Change:
    """A full replacement of metadata that a registrant sent for its client."""

    metadata: Mapping[str, Any]
    see: Callable[[str, Mapping[str, Any]], Software]
    """Finds or makes the software of a fingerprint and counts the arrival."""


def apply(client: Client, change: Change, *, by: Actor) -> None:
    """Replace the metadata of a client, or store it as a revision that waits for approval.

    Pending clients are replaced outright: nothing was approved yet. Raises AccessDenied for
    clients that were stopped; they cannot revive themselves.
    """
    record = client_records.load(client.client_id)
    standing = record.standing(clock.epoch()) if record is not None else Standing.DELETED
    if record is None or standing not in (Standing.PENDING, Standing.ACTIVE):
        raise errors.AdmissionRefused(
            "This client is stopped and can only be read or deleted;"
            " ask the operators of this server."
        )
    check_method(client.client_metadata, change.metadata)
    before = dict(client.client_metadata)
    if standing is Standing.PENDING:
        replace_pending(client, change)
    else:
        replace_active(client, change, record.scopes)
    waits = client.pending_metadata is not None
    after = dict(client.pending_metadata or client.client_metadata)
    detail = audit.changes(before, after) | {"waits_for_approval": waits}
    audit.record(Tag.CLIENT_UPDATED, client.client_id, by=by, client_id=client.client_id, **detail)
    generations.bump("clients")


def check_method(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Refuse to make a public client confidential: its new secret could not be delivered."""
    old, new = (each["token_endpoint_auth_method"] for each in (before, after))
    if old == "none" and new != "none":
        raise errors.InvalidClientMetadata(
            "A public client cannot become confidential; send token_endpoint_auth_method none"
            " or register a new client."
        )


def replace_pending(client: Client, change: Change) -> None:
    """Replace the metadata of a client that nobody has approved."""
    old = software.get(client.software_id)
    mark = software.fingerprint(change.metadata) or alone(client.client_id)
    if mark == old.fingerprint and is_only_client(old.id, client.client_id):
        old.client_metadata = dict(change.metadata)
        old.name = change.metadata.get("client_name", "")
        old.revision = software.revision(change.metadata)
    else:
        if mark == old.fingerprint:
            mark = revision_mark(client, change.metadata)
        client.software_id = admissible(change.see(mark, change.metadata)).id
    client.client_metadata = dict(change.metadata)
    db.session.flush()
    forget_unused(old.id)


def replace_active(client: Client, change: Change, ceiling: frozenset[str]) -> None:
    """Apply a narrowing at once; keep a widening as a revision beside what serves."""
    superseded, target = client.pending_software_id, None
    if widened(client.client_metadata, change.metadata, ceiling):
        mark = software.fingerprint(change.metadata) or alone(client.client_id)
        if mark == software.get(client.software_id).fingerprint:
            mark = revision_mark(client, change.metadata)
        target = admissible(change.see(mark, change.metadata))
    if target is None:
        client.pending_metadata = client.pending_software_id = None
        client.client_metadata = dict(change.metadata)
    else:
        client.pending_metadata, client.pending_software_id = dict(change.metadata), target.id
    db.session.flush()
    if target is not None and target.status == "approved":
        adopt_revisions(target)
        db.session.flush()
    if superseded is not None:
        forget_unused(superseded)


def widened(
    before: Mapping[str, Any], after: Mapping[str, Any], ceiling: frozenset[str]
) -> list[str]:
    """Return the members in which new metadata asks for more, or for something else to trust."""
    found = [name for name in WATCHED if after.get(name) != before.get(name)]
    localised = {name for name in (*before, *after) if "#" in name}
    found += sorted(name for name in localised if after.get(name) != before.get(name))
    for name in ("redirect_uris", "grant_types"):
        if not set(after.get(name, ())) <= set(before.get(name, ())):
            found.append(name)
    if not set(after.get("scope", "").split()) <= ceiling | set(before.get("scope", "").split()):
        found.append("scope")
    return found


def admissible(target: Software) -> Software:
    """Refuse to move a client to software that people refused."""
    if target.status in ("pending", "approved"):
        return target
    raise errors.AdmissionRefused(
        "The operators of this server have refused this software; ask them before trying again."
    )


def adopt_revisions(target: Software) -> int:
    """Put the waiting revisions in force whose software was approved; return how many."""
    waiting = db.session.scalars(
        select(Client).where(Client.pending_software_id == target.id)
    ).all()
    for client in waiting:
        metadata = dict(client.pending_metadata or {})
        if metadata["token_endpoint_auth_method"] == "none":
            client.secret_digest = client.old_secret_digest = None
        client.client_metadata, client.software_id = metadata, target.id
        client.pending_metadata = client.pending_software_id = None
        client.approved_once = True
    return len(waiting)


def drop_revisions(target: Software) -> None:
    """Forget the waiting revisions whose software was refused; what is in force stays."""
    db.session.execute(
        update(Client)
        .where(Client.pending_software_id == target.id)
        .values(pending_metadata=None, pending_software_id=None)
        .execution_options(synchronize_session=False)
    )


def alone(client_id: str) -> str:
    """Return the fingerprint of software that consists of one client."""
    return credentials.thumbprint(f"client\0{client_id}")


def revision_mark(client: Client, metadata: Mapping[str, Any]) -> str:
    """Return the fingerprint of one client's own variant of its software."""
    return credentials.thumbprint(f"revision\0{client.client_id}\0{software.revision(metadata)}")


def is_only_client(software_id: str, client_id: str) -> bool:
    """Tell whether no other client belongs to some software."""
    others = select(func.count()).where(
        Client.software_id == software_id, Client.client_id != client_id
    )
    return not db.session.scalar(others)


def forget_unused(software_id: str) -> None:
    """Delete undecided software that no client refers to any more."""
    users = select(Client.client_id).where(
        or_(Client.software_id == software_id, Client.pending_software_id == software_id)
    )
    db.session.execute(
        delete(Software)
        .where(Software.id == software_id, Software.status == "pending", ~users.exists())
        .execution_options(synchronize_session=False)
    )
