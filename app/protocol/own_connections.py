"""Connections as people see them: each authorizes for themselves alone."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import security, upstream_steps, upstream_uses
from app.domain import connection_grants, connection_step_ups, connections
from app.domain.connection_drafts import AUTHORIZATION_CODE
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection, not_found
from app.domain.connections import Remains
from app.extensions import db
from app.outbound import upstream_logins
from app.protocol import people
from app.views import here

bp = Blueprint("own_connections", __name__, url_prefix="/connections")
LASTING = (
    "The other server did not end your access, so what was given works there until it expires."
    " Withdraw it in your account there as well."
)


@bp.get("/")
def list_own() -> str | Response:
    """Show what can be authorized, and what this person has authorized."""
    user = people.signed_in()
    if user is None:
        return redirect(url_for("login.sign_in", next=here()), 303)
    rows = [row for row in connections.find_all() if row.kind == AUTHORIZATION_CODE]
    held = {grant.connection_id for grant in connection_grants.of_user(user.id)}
    return render_template("protocol/own_connections.html", rows=rows, held=held)


@bp.get("/<name>/")
def show_own(name: str) -> str | Response:
    """Show a connection and what this person has there."""
    user = people.signed_in()
    if user is None:
        return redirect(url_for("login.sign_in", next=here()), 303)
    row = known(name)
    if row.server is not None:
        security.allow_form_target(upstream_logins.server_of(row.server).authorization_endpoint)
    grant = connection_grants.find(row.id, user.id)
    return render_template("protocol/own_connection.html", row=row, grant=grant)


@bp.post("/<name>/authorize")
def authorize(name: str) -> Response:
    """Send a person to the other server, to allow access for themselves."""
    user = people.signed_in()
    if user is None:
        return redirect(url_for("login.sign_in", next=url_for(".show_own", name=name)), 303)

    agreed = request.form.get("wanted", "")
    url = upstream_uses.begin(known(name), user, for_service=False, agreed=agreed)
    db.session.commit()
    return redirect(url, 303)


@bp.post("/<name>/decline")
def decline(name: str) -> Response:
    """Keep what a person has as it is, although more is wanted."""
    user = people.signed_in()
    if user is None:
        return redirect(url_for("login.sign_in", next=url_for(".show_own", name=name)), 303)

    connection_step_ups.decline(known(name).id, user.id, by=people.user_actor(user))
    db.session.commit()
    return redirect(url_for(".show_own", name=name), 303)


@bp.post("/<name>/disconnect")
def disconnect(name: str) -> Response:
    """Forget what a person has here, and revoke it there as far as that is possible."""
    user = people.signed_in()
    if user is None:
        return redirect(url_for("login.sign_in", next=url_for(".show_own", name=name)), 303)

    row, by = known(name), people.user_actor(user)
    left = connection_grants.drop(row.id, user.id, by=by)
    db.session.commit()
    if left and upstream_steps.clear(Remains(row, left), by=by, with_client=False):
        flash(LASTING)
    return redirect(url_for(".show_own", name=name), 303)


def page_of(row: Connection, owner: str) -> str:
    """Return the path of the page where an owner authorizes a connection."""
    if owner == SERVICE:
        return url_for("connections.show_connection", connection_id=row.id)
    return url_for("own_connections.show_own", name=row.name)


def known(name: str) -> Connection:
    """Return a connection that people authorize; raises NotFound."""
    row = connections.get(name)
    if row.kind != AUTHORIZATION_CODE:
        raise not_found()
    return row
