"""Owns the use of connections that people authorize: as whom this server asks, and for whom."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import Row

from app import browser_session, connection_uses
from app.config import current_key, current_settings
from app.domain import connection_authorizations, connection_secrets, errors
from app.domain.connection_records import Connection
from app.domain.users import User
from app.outbound import upstream_authorization, upstream_clients, upstream_logins
from app.outbound.client import Outbound
from app.outbound.connection_tokens import UNREADABLE
from app.outbound.errors import OutboundError
from app.outbound.upstream_clients import Profile
from app.outbound.upstream_logins import Upstream

CALLBACK_PATH = "/connections/callback"
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


def opened(row: Connection | Row[Any]) -> Upstream:
    """Return a connection as it is used; raises Conflict when its secrets cannot be read."""
    key = current_key("connections")
    try:
        secrets = connection_secrets.secrets_of(row, key, {})
        token = connection_secrets.registration_token_of(row, key)
    except ValueError:
        raise errors.Conflict(UNREADABLE) from None
    sign = connection_uses.managers().signer(secrets)
    return upstream_logins.of(row, secrets.client_secret, token, sign)


def begin(row: Connection, user: User, *, for_service: bool) -> str:
    """Begin to authorize a connection in this browser; return where it has to go."""
    session_id = browser_session.current().session_id
    if session_id is None:
        raise errors.AccessDenied(connection_authorizations.STALE)
    asked = profile().redirect_uri
    begun = connection_authorizations.begin(
        row,
        current_key("connections"),
        session_id=session_id,
        user_id=user.id,
        for_service=for_service,
        scopes=row.scope.split(),
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
            scopes=used.scopes,
            resource=used.resource,
        )
    except OutboundError:
        raise errors.Conflict(AMBIGUOUS) from None
