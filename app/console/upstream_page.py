"""Owns the page of a connection that people authorize; nobody sees its tokens."""

from typing import Any

from flask import Response
from sqlalchemy import Row

from app import clock, security
from app.console.pages import render_page
from app.domain import connection_grants
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.outbound import upstream_logins


def show(row: Connection) -> Response:
    """Show where a connection leads, and who authorized it."""
    server = upstream_logins.server_of(row.server) if row.server else None
    grants = connection_grants.of_connection(row.id)
    grant = next((each for each in grants if each.owner == SERVICE), None)
    if server is not None:
        security.allow_form_target(server.authorization_endpoint)
    return render_page(
        "upstream.html", row=row, server=server, grant=grant, grants=grants, state=state_of(grant)
    )


def state_of(grant: Row[Any] | None) -> str:
    """Return whether this server has a token, and whether it still works."""
    if grant is None:
        return "unused"
    return "expired" if grant.expires_at and grant.expires_at <= clock.epoch() else "live"
