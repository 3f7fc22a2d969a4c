"""Connections: the logins that this server holds at others', made, changed, tested and removed."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from sqlalchemy import Row
from werkzeug.wrappers import Response as BaseResponse

from app import clock, connection_uses
from app.config import current_key
from app.console import connection_form, connection_trial, upstream_page
from app.console.forms import Form
from app.console.pages import (
    actor,
    asks_others,
    console_blueprint,
    render_page,
    requires,
    requires_fresh,
)
from app.domain import connection_grants, connections
from app.domain.connection_drafts import AUTHORIZATION_CODE, BY_KEY
from app.domain.connection_records import ENVIRONMENT, Connection
from app.extensions import db
from app.outbound import connection_tokens, targets
from app.outbound.errors import OutboundError

bp = console_blueprint("connections", __name__, "/connections")


@bp.get("/")
def list_connections() -> Response:
    """Show all connections, and whether each has a token."""
    rows = [(row, host_of(row), *token_of(row, grant)) for row, grant in with_grants()]
    return render_page("connections.html", rows=rows, is_own=is_own)


@bp.get("/new")
@requires_fresh("admin")
def new_connection() -> BaseResponse:
    """Show the form."""
    return connection_form.show_new(Form())


@bp.post("/new")
@requires_fresh("admin")
def create_connection() -> BaseResponse:
    """Hold a login."""
    form, draft = Form(), connection_form.draft()
    with form.blaming("name"), connection_form.blaming_members(form):
        row = connections.create(
            connection_form.text("name"), draft, current_key("connections"), by=actor()
        )
    if form.faults:
        return connection_form.show_new(form)

    db.session.commit()
    return back(row.id, "The connection is made; test it now.")


@bp.get("/<connection_id>")
def show_connection(connection_id: str) -> Response:
    """Show a connection; its secret is shown to nobody."""
    row = connections.get_by_id(connection_id)
    if row.kind == AUTHORIZATION_CODE:
        return upstream_page.show(row)
    return render_page("connection.html", row=row, is_own=is_own(row), state=state_of(row))


@bp.get("/<connection_id>/edit")
@requires("admin")
def edit_connection(connection_id: str) -> Response:
    """Show the form with what is asked for now."""
    row = own(connection_id)
    return connection_form.show_edit(row, Form(), connection_form.asked_of(row))


@bp.post("/<connection_id>/edit")
@requires("admin")
def change_connection(connection_id: str) -> BaseResponse:
    """Change what is asked for, from the next token on."""
    form, row, asked = Form(), own(connection_id), connection_form.asked()
    with connection_form.blaming_members(form):
        connections.change(row, by=actor(), **asked)
    if form.faults:
        return connection_form.show_edit(row, form, request.form)

    db.session.commit()
    return back(connection_id, "The connection is changed; its next token is a new one.")


@bp.get("/<connection_id>/rotate-secret")
@requires_fresh("admin")
def ask_secret(connection_id: str) -> BaseResponse:
    """Show the form for the new secret."""
    return connection_form.show_secret(own(connection_id), Form())


@bp.post("/<connection_id>/rotate-secret")
@requires_fresh("admin")
def rotate_secret(connection_id: str) -> BaseResponse:
    """Prove the login with a new secret from now on."""
    form, row = Form(), own(connection_id)
    secret = connection_form.secret("private_key" if row.auth_method == BY_KEY else "client_secret")
    with connection_form.blaming_members(form):
        connections.rotate_secret(row, secret, current_key("connections"), by=actor())
    if form.faults:
        return connection_form.show_secret(row, form)

    db.session.commit()
    return back(connection_id, "The new secret is in use; the old one is forgotten here.")


@bp.post("/<connection_id>/test")
@requires("admin")
@asks_others
def test_connection(connection_id: str) -> Response:
    """Get a new token that nobody uses, and show each step; no transaction is open meanwhile."""
    held = connection_uses.managers().hold(connections.get_by_id(connection_id))
    db.session.rollback()

    trial = connection_uses.attempt(held)

    row = connections.get_by_id(connection_id)
    connections.note_test(row, trial.code, by=actor())
    db.session.commit()
    page = url_for(".show_connection", connection_id=connection_id)
    again = url_for(".test_connection", connection_id=connection_id)
    return connection_trial.show(
        trial, held.login.client_secret, of=row.name, crumb=(row.name, page), again=again
    )


@bp.post("/<connection_id>/remove")
@requires("admin")
def remove_connection(connection_id: str) -> BaseResponse:
    """Forget a login and its secret, once its name was typed."""
    row = own(connection_id)
    if request.form.get("confirm_name", "").strip() != row.name:
        return back(row.id, "The name did not match; nothing was removed.", "error")

    connections.remove(row, by=actor())
    db.session.commit()
    flash("The connection is removed; at the other server its client goes on.", "success")
    return redirect(url_for("connections.list_connections"), 303)


def own(connection_id: str) -> Connection:
    """Return a login that people made; raises Conflict for one of the settings, and other kinds."""
    row = connections.get_by_id(connection_id)
    connections.check_own(row)
    connection_tokens.check_kind(row)
    return row


def is_own(row: Connection) -> bool:
    """Tell whether people made a connection, and not the settings."""
    return row.source != ENVIRONMENT


def host_of(row: Connection) -> str:
    """Return the host that is asked for tokens."""
    try:
        return targets.parse(row.token_endpoint or row.issuer or row.url or "").authority
    except OutboundError:
        return ""


def with_grants() -> list[tuple[Connection, Row[Any] | None]]:
    """Return all connections, each with what was authorized for this server itself."""
    grants = connection_grants.of_service()
    return [(row, grants.get(row.id)) for row in connections.find_all()]


def token_of(row: Connection, grant: Row[Any] | None) -> tuple[str, int | None, int | None]:
    """Return how the token of this server stands, when it was last used, and when it ends."""
    if row.kind != AUTHORIZATION_CODE:
        return state_of(row), row.last_used_at, row.token_expires_at
    used, ends = (grant.last_used_at, grant.expires_at) if grant else (None, None)
    return upstream_page.state_of(grant), used, ends


def state_of(row: Connection) -> str:
    """Return whether there was a token, and whether it can be used now."""
    if row.token_expires_at is None:
        return "unused"
    return "live" if row.token_expires_at > clock.epoch() else "expired"


def back(connection_id: str, message: str, category: str = "success") -> BaseResponse:
    """Go back to the connection and say what happened."""
    flash(message, category)
    return redirect(url_for("connections.show_connection", connection_id=connection_id), 303)
