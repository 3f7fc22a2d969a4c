"""Owns connections that people authorize: what was discovered, and this server's client there."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain import (
    audit,
    connection_authorizations,
    connection_drafts,
    connection_grants,
    connection_secrets,
    connections,
    errors,
)
from app.domain.audit import Actor
from app.domain.audit_tags import Tag
from app.domain.connection_drafts import AUTHORIZATION_CODE, PUBLIC, Draft
from app.domain.connection_records import (
    GIVEN,
    REGISTERED,
    Connection,
    amend,
    copy,
    facts,
    write,
)
from app.domain.connections import Remains

NO_CLIENT: dict[str, Any] = {
    "client_id": "",
    "registered_how": "",
    "secret_sealed": None,
    "private_key_sealed": None,
    "registration_client_uri": None,
    "registration_token_sealed": None,
}
_TOKEN = re.compile(r"[\x20-\x7e]{1,8192}")
SHAPES: dict[str, tuple[Callable[[str], object], str]] = {
    "registration_client_uri": (connection_drafts.is_url, connection_drafts.URL_SHAPE),
    "registration_token": (_TOKEN.fullmatch, "must be at most 8192 printable ASCII characters"),
}
"""What the members of a client that no draft has must be like."""
OTHER_KIND = (
    "This connection is a login of this server itself, which nobody authorizes; make another one of"
    " the kind authorization_code."
)
MEANWHILE = (
    "The connection was changed while a client was being registered; look at it and register"
    " again if it still has none."
)
ANOTHER = (
    "The connection has another client by now, and a secret never moves to another one; look at the"
    " connection again."
)
NO_SECRET = (
    "This connection has no client with a secret that its operators gave; become a client anew for"
    " another one."
)
NOT_REGISTERED = (
    "The client of this connection was not registered by this server, so only its operators can"
    " change it; ask them."
)


@dataclass(frozen=True, slots=True)
class Client:
    """What this server is at the authorization server of an upstream."""

    client_id: str
    auth_method: str = PUBLIC
    how: str = REGISTERED
    client_secret: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    registration_client_uri: str = ""
    registration_token: str = field(default="", repr=False)


def change(
    row: Connection, *, by: Actor, scope: str, expiry_buffer_seconds: int, description: str
) -> None:
    """Change what is asked for next time; the tokens that people have go on."""
    check_kind(row)
    connections.edit(
        row,
        amend,
        by=by,
        scope=scope,
        expiry_buffer_seconds=expiry_buffer_seconds,
        description=description,
    )


def note_discovery(
    row: Connection, server: Mapping[str, Any], resource: str, *, by: Actor
) -> Remains | None:
    """Keep what was discovered; with another issuer return what is left at the one before.

    Credentials never go to another authorization server than the one they are of (SEP-2352): the
    client, all tokens and all running authorizations of the one before are forgotten.
    """
    check_kind(row)
    found: dict[str, Any] = {"issuer": server["issuer"], "resource": resource}
    connection_drafts.check(dict(connection_drafts.malformed(Draft(kind=row.kind, **found))))
    amend(row)  # its row is the lock: what it says now is what is compared
    before = described(row)
    moved = row.issuer is not None and row.issuer != found["issuer"]
    remains = end(row, "issuer changed", by=by) if moved else None
    amend(row, **found, server=dict(server))
    after = described(row)
    if after != before:
        connections.record_changes(row, before, after, by=by)
    return remains


def note_registration(
    row: Connection, client: Client, seen_revision: int, sealing_key: bytes, *, by: Actor
) -> Remains | None:
    """Keep this server's client; return what is left of another one that it replaces.

    ``seen_revision`` is that of the connection when the registration began; raises Conflict when
    it has another issuer or another client since. InvalidMembers names what no client can have.
    """
    check_kind(row)
    draft = draft_of(row, client)
    amend(row)
    if row.revision != seen_revision:
        raise errors.Conflict(MEANWHILE)
    other = client.client_id != row.client_id
    remains = end(row, "client replaced", by=by) if other and row.client_id else None
    token = client.registration_token.encode()
    save = write if other else amend
    save(
        row,
        client_id=client.client_id,
        auth_method=client.auth_method,
        registered_how=client.how,
        registration_client_uri=client.registration_client_uri or None,
        registration_token_sealed=connection_secrets.sealed(
            token, row.id, "registration_token", sealing_key
        ),
        **connection_secrets.seals(row.id, draft, sealing_key),
    )
    audit.record(
        Tag.CONNECTION_REGISTERED,
        row.id,
        by=by,
        name=row.name,
        issuer=row.issuer,
        upstream_client_id=client.client_id,
        auth_method=client.auth_method,
        how=client.how,
    )
    return remains


def replace_secret(
    row: Connection, secret: str, seen_revision: int, sealing_key: bytes, *, by: Actor
) -> None:
    """Prove the client that was given with a new secret; the tokens that people have go on.

    ``seen_revision`` is that of the connection when the secret was asked for: one that is meant
    for another client goes nowhere. Raises Conflict.
    """
    check_kind(row)
    amend(row)
    if row.revision != seen_revision:
        raise errors.Conflict(ANOTHER)
    if row.registered_how != GIVEN or row.secret_sealed is None:
        raise errors.Conflict(NO_SECRET)
    connections.rotate_secret(row, secret, sealing_key, by=by)


def check_registered(row: Connection) -> None:
    """Refuse to update a client there that did not come from a registration."""
    check_kind(row)
    if row.registered_how != REGISTERED:
        raise errors.Conflict(NOT_REGISTERED)


def note_unregistration(remains: Remains, failure: str, *, by: Actor) -> None:
    """Record that a client was deleted where it was registered; ``failure`` is empty if it was."""
    left = remains.connection
    audit.record(
        Tag.CONNECTION_UNREGISTERED,
        left.id,
        by=by,
        name=left.name,
        issuer=left.issuer,
        upstream_client_id=left.client_id,
        failure=failure,
    )


def end(row: Connection, reason: str, *, by: Actor) -> Remains:
    """Forget the client, the tokens and the running authorizations of a connection that is held."""
    connection_authorizations.withdraw(row.id)
    grants = connection_grants.forget_of_connection(row.id, reason, by=by)
    remains = Remains(copy(row), grants)
    write(row, **NO_CLIENT)
    return remains


def draft_of(row: Connection, client: Client) -> Draft:
    """Return a connection as it would be filled in with a client; raises InvalidMembers."""
    draft = Draft(
        kind=row.kind,
        url=row.url or "",
        client_id=client.client_id,
        auth_method=client.auth_method,
        client_secret=client.client_secret,
        private_key=client.private_key,
    )
    found = connection_drafts.faults(draft)
    if not client.client_id:
        found["client_id"] = connection_drafts.NEEDED
    for member, (fits, what) in SHAPES.items():
        value = getattr(client, member)
        if value and not fits(value):
            found[member] = what
    connection_drafts.check(found)
    return draft


def described(row: Connection) -> dict[str, Any]:
    """Return what may be seen of a connection and where its endpoints are."""
    server = row.server or {}
    return facts(row) | {name: url for name, url in server.items() if name.endswith("_endpoint")}


def check_kind(row: Connection) -> None:
    """Refuse what only connections that people authorize can have."""
    if row.kind != AUTHORIZATION_CODE:
        raise errors.Conflict(OTHER_KIND)
