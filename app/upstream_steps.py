"""Owns the steps of connections that people authorize, as console and commands take them.

Whoever takes a step that asks others has no transaction open then, and commits what it notes.
"""

from collections.abc import Iterable
from functools import partial

from app import grant_tokens, upstream_uses
from app.config import current_key, current_settings
from app.domain import errors, upstream_tokens, upstreams
from app.domain.audit import Actor
from app.domain.connection_drafts import is_scope
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import DOCUMENT, GIVEN, REGISTERED, Connection
from app.domain.connections import Remains
from app.outbound import (
    registration,
    upstream_clients,
    upstream_ends,
    upstream_logins,
    upstream_trials,
)
from app.outbound.discovery import Discovery
from app.outbound.registration import Registered
from app.outbound.upstream_clients import Client
from app.outbound.upstream_logins import Upstream
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.upstream_refusals import Refused
from app.outbound.upstream_trials import UpstreamTrial

UNREADABLE = (
    "Its credentials do not open with the secret key of this server, so nothing was ended at the"
    " other server; ask its operators to do so."
)
TOKENS_LAST = "Some tokens could not be revoked there; they work until they expire."
CLIENT_LASTS = "The client there could not be deleted; ask its operators to do so."


def keep_server(row: Connection, found: Discovery, *, by: Actor) -> Remains | None:
    """Keep what was discovered, and its scopes where an operator wanted none of their own."""
    if found.server is None:
        return None
    scope = scope_of(row.scope, found)
    if scope != row.scope:
        upstreams.change(
            row,
            scope=scope,
            expiry_buffer_seconds=row.expiry_buffer_seconds,
            description=row.description,
            by=by,
        )
    resource = found.resource.resource if found.resource else found.url
    kept = upstream_logins.kept_of(found.server)
    return upstreams.note_discovery(row, kept, resource, by=by)


def scope_of(wanted: str, found: Discovery) -> str:
    """Return the scope that operators want, else the one that was found if it can be one."""
    said = " ".join(found.scopes)
    return wanted or (said if is_scope(said) else "")


def become_client(
    server: ServerMetadata,
    scopes: Iterable[str],
    *,
    given: Client | None = None,
    initial_access_token: str = "",
) -> upstreams.Client | Refused:
    """Return the client that this server has there now: given, its document, or registered.

    An initial access token asks for registration, also where our document would do. Raises
    OutboundError when there is no answer.
    """
    own_url = "" if initial_access_token else upstream_uses.own_url()
    profile = upstream_uses.profile()
    way = upstream_clients.how(server, profile, given=given, own_url=own_url)
    if way.kind == "impossible":
        return Refused(way.sentence)
    if way.client is not None:
        how, made = GIVEN if way.kind == "given" else DOCUMENT, way.client
        return upstreams.Client(made.client_id, made.auth_method, how, made.client_secret)
    found = registration.register(
        upstream_uses.outbound(),
        server,
        profile,
        scopes=scopes,
        initial_access_token=initial_access_token,
    )
    return found if isinstance(found, Refused) else client_of(found)


def update_client(used: Upstream) -> upstreams.Client | Refused:
    """Say anew what this server is where it registered (RFC 7592); raises OutboundError."""
    found = registration.update(
        upstream_uses.outbound(), used.registered, upstream_uses.profile(), scopes=used.scopes
    )
    return found if isinstance(found, Refused) else client_of(found)


def client_of(found: Registered) -> upstreams.Client:
    """Return a registered client as a connection keeps it."""
    return upstreams.Client(
        found.client.client_id,
        found.client.auth_method,
        REGISTERED,
        found.client.client_secret,
        registration_client_uri=found.registration_client_uri,
        registration_token=found.registration_access_token,
    )


def abandon(client: upstreams.Client) -> None:
    """Delete a client that was registered and cannot be kept, if that is possible."""
    if client.how == REGISTERED:
        upstream_ends.unregister(
            upstream_uses.outbound(), client.registration_client_uri, client.registration_token
        )


def attempt(connection_id: str, url: str) -> UpstreamTrial:
    """Ask an API with the token of this server."""
    return upstream_trials.make(
        upstream_uses.outbound(),
        partial(grant_tokens.of, connection_id, SERVICE),
        url,
        current_settings().audit_header_name,
    )


def clear(remains: Remains, *, by: Actor, with_client: bool = True) -> list[str]:
    """End at the other server what is left there; return what may go on, in sentences."""
    left, key = remains.connection, current_key("connections")
    if left.server is None:
        return []
    try:
        used = upstream_uses.opened(left)
        held = [upstream_tokens.tokens_of(grant, key) for grant in remains.grants]
    except (errors.Conflict, ValueError):
        return [UNREADABLE]
    way_out = upstream_uses.outbound()
    lasting = [TOKENS_LAST] if upstream_ends.revoke(way_out, used, held) else []
    if with_client and left.client_id and left.registered_how == REGISTERED:
        url, token = used.registration_client_uri, used.registration_token
        failure = upstream_ends.unregister(way_out, url, token)
        upstreams.note_unregistration(remains, failure, by=by)
        lasting += [CLIENT_LASTS] if failure else []
    return lasting
