"""Owns the verbs of single clients: create, suspend, resume, rotate, edit, delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import clock
from app.domain import (
    audit,
    authorization_codes,
    client_locks,
    client_metadata,
    consents,
    credentials,
    device_codes,
    errors,
    fapi,
    generations,
    grants,
    networks,
    openid_metadata,
    pushed_requests,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.client_records import Client
from app.domain.software import Software
from app.extensions import db

OVERLAP_SECONDS = 86400
"""How long the old secret works after a rotation unless the operator says otherwise."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The credentials of a new client; they can be read here and nowhere else."""

    client_secret: str | None
    registration_access_token: str | None


def add(
    row: Software,
    metadata: Mapping[str, Any],
    *,
    source: str,
    address: str = "",
    initial_access_token: str | None = None,
    manageable: bool,
) -> tuple[Client, Issued]:
    """Store a client of some software; ``manageable`` gives it a registration access token."""
    secret = token = None
    if client_metadata.has_secret(metadata):
        secret = credentials.new_secret()
    if manageable:
        token = credentials.new_secret(credentials.PREFIXES["registration"])
    client = Client(
        client_id=credentials.new_id(),
        software_id=row.id,
        state="live",
        source=source,
        client_metadata=dict(metadata),
        introspects=[],
        secret_digest=credentials.digest(secret) if secret else None,
        registration_token_digest=credentials.digest(token) if token else None,
        initial_access_token_id=initial_access_token,
        approved_once=row.status == "approved",
        address=address,
        network=networks.network_of(address),
        created_at=clock.epoch(),
    )
    db.session.add(client)
    db.session.flush()
    return client, Issued(secret, token)


def find(client_id: str) -> Client | None:
    """Return the row of a client, deleted ones included."""
    return None if "\0" in client_id else db.session.get(Client, client_id)


def get(client_id: str) -> Client:
    """Return the row of a client that is not deleted; raises NotFound."""
    client = find(client_id)
    if client is None or client.state == "deleted":
        raise errors.NotFound("There is no client with this identifier.")
    return client


def suspend(client: Client, reason: str, *, by: Actor) -> None:
    """Stop a client and end everything it holds; raises Conflict when it is not live."""
    end_holdings(client.client_id, "client suspended", by=by)
    change_state(client, "live", "suspended", Tag.CLIENT_SUSPENDED, reason, by=by)
    generations.bump("clients")


def resume(client: Client, reason: str, *, by: Actor) -> None:
    """Let a suspended client work again; what it held stays ended."""
    # what slipped in while it was being stopped
    end_families(client.client_id, "client resumed", by=by)
    change_state(client, "suspended", "live", Tag.CLIENT_RESUMED, reason, by=by)
    generations.bump("clients")


def delete(client: Client, reason: str, *, by: Actor) -> None:
    """Turn a client into a tombstone and end everything it holds; raises NotFound."""
    end_holdings(client.client_id, "client deleted", by=by)
    client_locks.claim(client)
    client.state, client.deleted_at = "deleted", clock.epoch()
    client.registration_token_digest = client.secret_digest = client.old_secret_digest = None
    client.secret_sealed = client.old_secret_sealed = None
    client.pending_metadata = client.pending_software_id = None
    record(Tag.CLIENT_DELETED, client, by=by, reason=reason)
    generations.bump("clients")


def change_state(
    client: Client, before: str, after: str, tag: Tag, reason: str, *, by: Actor
) -> None:
    """Move a client from one state to another; raises Conflict when it is not in the first."""
    client_locks.claim(client)
    if client.state != before:
        raise errors.Conflict("The client has changed meanwhile; look at it again.")
    client.state = after
    record(tag, client, by=by, reason=reason, before=before, after=after)


def end_holdings(client_id: str, reason: str, *, by: Actor) -> None:
    """End codes, grants and consents of a client, in the order in which token requests lock them.

    A code that is being redeemed is waited for, and its grant ended with the others. The client's
    own row comes later and the generation last, or PostgreSQL would find deadlocks.
    """
    end_families(client_id, reason, by=by)
    consents.revoke(client_id=client_id, by=by)
    client_locks.end_own_tokens(client_id)


def end_families(client_id: str, reason: str, *, by: Actor) -> int:
    """End codes and grants of a client; return how many grants."""
    pushed_requests.withdraw(client_id)
    authorization_codes.withdraw(client_id=client_id)
    device_codes.withdraw(client_id=client_id)
    return grants.revoke_of_client(client_id, reason, by=by)


def revoke_tokens(client: Client, *, by: Actor) -> int:
    """End all grants and codes of a client that goes on existing; return how many grants."""
    ended = end_families(client.client_id, "revoked by an operator", by=by)
    client_locks.end_own_tokens(client.client_id)
    generations.bump("clients")
    record(Tag.CLIENT_TOKENS_REVOKED, client, by=by, grants=ended)
    return ended


def rotate_secret(client: Client, *, by: Actor, overlap_seconds: int = OVERLAP_SECONDS) -> Issued:
    """Give a confidential client a new secret; the old one works until the overlap is over.

    Of one that signs with its secret the new one has to be sealed as well.
    """
    if client.secret_digest is None:
        raise errors.Conflict("This client has no secret to rotate.")
    client_locks.claim(client)
    secret = credentials.new_secret()
    client.old_secret_digest = client.secret_digest
    client.old_secret_sealed, client.secret_sealed = client.secret_sealed, None
    client.old_secret_expires_at = clock.epoch() + overlap_seconds
    client.secret_digest = credentials.digest(secret)
    record(Tag.CLIENT_SECRET_ROTATED, client, by=by, old_until=client.old_secret_expires_at)
    generations.bump("clients")
    return Issued(secret, None)


def edit(
    client: Client,
    *,
    by: Actor,
    scopes: Sequence[str] | None,
    redirect_uris: Sequence[str],
    logout: Mapping[str, Any] | None = None,
    access_token_seconds: int | None = None,
    pkce_optional: bool = False,
    fapi2: bool = False,
) -> None:
    """Change what an operator may change; what is given takes the place of what was.

    ``redirect_uris`` and ``logout``, the metadata about signing out, are validated by the caller's
    door with the rules of registration. Raises InvalidClientMetadata for a client that cannot meet
    the profile.
    """
    metadata = {**client.client_metadata, **(logout or {})}
    metadata = {name: value for name, value in metadata.items() if value}
    if redirect_uris:
        metadata["redirect_uris"] = list(redirect_uris)
    if openid_metadata.notes(client.client_metadata, metadata):
        end_holdings(client.client_id, openid_metadata.SUBJECTS_CHANGED, by=by)
    client_locks.claim(client)
    if fapi2:
        fapi.check_client(client.client_metadata)
    before = client_locks.editable(client)
    client.scopes = None if scopes is None else list(scopes)
    client.access_token_seconds, client.pkce_optional = access_token_seconds, pkce_optional
    client.fapi2 = fapi2
    client.client_metadata = metadata
    changes = audit.changes(before, client_locks.editable(client))
    record(Tag.CLIENT_UPDATED, client, by=by, **changes)
    generations.bump("clients")


def record(tag: Tag, client: Client, *, by: Actor, **detail: Any) -> None:
    """Record what happened to a client."""
    audit.record(tag, client.client_id, by=by, client_id=client.client_id, **detail)
