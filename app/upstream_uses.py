"""Owns the use of connections that people authorize: as whom this server asks, and for whom."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import Row

from app import browser_session, connection_uses
from app.config import current_key, current_settings
from app.domain import (
    connection_authorizations,
    connection_grants,
    connection_secrets,
    connection_step_ups,
    errors,
)
from app.domain.connection_drafts import is_scope
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.domain.users import User
from app.outbound import upstream_authorization, upstream_clients, upstream_logins
from app.outbound.challenges import Challenge
from app.outbound.client import Outbound
from app.outbound.connection_tokens import UNREADABLE
from app.outbound.errors import OutboundError
from app.outbound.upstream_clients import Profile
from app.outbound.upstream_logins import Upstream
from app.outbound.upstream_metadata import ServerMetadata

CALLBACK_PATH = "/connections/callback"
UNDISCOVERED = (
    "The authorization server of this connection is not known yet; look for it on the page of the"
    " connection first."
)
AMBIGUOUS = (
    "The authorization endpoint of the other server decides in its URL what only this server may;"
    " tell its operators."
)


def outbound() -> Outbound:
    """Return the way out."""
    found: Outbound = current_app.extensions["gatewright.outbound"]
    return found


def profile() -> Profile:
    """Return what this server says of itself as a client of others."""
    issuer = current_settings().issuer
    return Profile(f"Gatewright at {urlsplit(issuer).netloc}", f"{issuer}{CALLBACK_PATH}")


def own_url() -> str:
    """Return where the document is that describes this server as a client."""
    return upstream_clients.document_url(current_settings().issuer)


def server_of(row: Connection | Row[Any]) -> ServerMetadata:
    """Return the server that was discovered; raises Conflict without one."""
    if row.server is None:
        raise errors.Conflict(UNDISCOVERED)
    return upstream_logins.server_of(row.server)


def opened(row: Connection | Row[Any]) -> Upstream:
    """Return a connection as it is used; raises Conflict without a server or readable secrets."""
    server_of(row)
    key = current_key("connections")
    try:
        secrets = connection_secrets.secrets_of(row, key, {})
        token = connection_secrets.registration_token_of(row, key)
    except ValueError:
        raise errors.Conflict(UNREADABLE) from None
    sign = connection_uses.managers().signer(secrets)
    return upstream_logins.of(row, secrets.client_secret, token, sign)


def note_wanted(row: Connection, challenge: Challenge) -> str:
    """Note and return the scopes that an API wants besides those of this server's own token."""
    grant = connection_grants.find(row.id, SERVICE)
    wanted = upstream_authorization.step_up(challenge, grant.scopes) if grant else ()
    if grant is None or not is_scope(" ".join(wanted)):
        return ""
    return " ".join(connection_step_ups.want(grant, wanted))


def begin(row: Connection, user: User, *, for_service: bool, agreed: str) -> str:
    """Begin to authorize a connection in this browser; return where it has to go.

    ``agreed`` are the scopes that were shown as wanted besides, and are to be asked for.
    """
    session_id = browser_session.current().session_id
    if session_id is None:
        raise errors.AccessDenied(connection_authorizations.STALE)
    asked = profile().redirect_uri
    scopes = connection_step_ups.scopes_to_ask(row, SERVICE if for_service else user.id, agreed)
    begun = connection_authorizations.begin(
        row,
        current_key("connections"),
        session_id=session_id,
        user_id=user.id,
        for_service=for_service,
        scopes=scopes,
        redirect_uri=asked,
    )
    used = opened(row)
    try:
        return upstream_authorization.authorization_url(
            used.server,
            used.client,
            redirect_uri=asked,
            state=begun.state,
            challenge=begun.challenge,
            scopes=scopes,
            resource=used.resource,
        )
    except OutboundError:
        raise errors.Conflict(AMBIGUOUS) from None
