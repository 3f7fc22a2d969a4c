"""Changing connections that people authorize: what is asked for, the secret, the client there."""

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from app import upstream_steps, upstream_uses
from app.config import current_key
from app.console import connection_form, upstream_form
from app.console.connections import back
from app.console.forms import Form, moment, refused
from app.console.pages import (
    actor,
    asks_others,
    console_blueprint,
    render_page,
    requires,
    requires_fresh,
)
from app.console.upstreams import known
from app.domain import upstreams
from app.domain.connection_records import Connection
from app.extensions import db
from app.outbound import failures
from app.outbound.errors import OutboundError
from app.outbound.upstream_refusals import Refused

bp = console_blueprint("upstream_changes", __name__, "/connections")


@bp.get("/<upstream_id>/change")
@requires("admin")
def edit_upstream(upstream_id: str) -> Response:
    """Show the form with what is asked for now."""
    row = known(upstream_id)
    return upstream_form.show_edit(row, Form(), connection_form.asked_of(row))


@bp.post("/<upstream_id>/change")
@requires("admin")
def change_upstream(upstream_id: str) -> BaseResponse:
    """Change what is asked for, from the next authorization on."""
    form, row, asked = Form(), known(upstream_id), upstream_form.asked()
    with connection_form.blaming_members(form):
        upstreams.change(row, by=actor(), **asked)
    if form.faults:
        return upstream_form.show_edit(row, form, request.form)

    db.session.commit()
    return back(upstream_id, "The connection is changed; to get other scopes, authorize it again.")


@bp.get("/<upstream_id>/replace-secret")
@requires_fresh("admin")
def ask_secret(upstream_id: str) -> BaseResponse:
    """Show the form for the new secret of a client that was given."""
    return show_secret(known(upstream_id), Form())


@bp.post("/<upstream_id>/replace-secret")
@requires_fresh("admin")
def replace_secret(upstream_id: str) -> BaseResponse:
    """Prove the client with a new secret from now on."""
    form, row = Form(), known(upstream_id)
    secret, seen = connection_form.secret("client_secret"), moment(connection_form.text("revision"))
    with connection_form.blaming_members(form):
        upstreams.replace_secret(row, secret, seen, current_key("connections"), by=actor())
    if form.faults:
        return show_secret(row, form)

    db.session.commit()
    return back(upstream_id, "The new secret is in use; the old one is forgotten here.")


@bp.post("/<upstream_id>/update-client")
@requires("admin")
@asks_others
def update_client(upstream_id: str) -> BaseResponse:
    """Say anew there what this server is; credentials in the answer replace those before."""
    row = known(upstream_id)
    upstreams.check_registered(row)
    seen, used = row.revision, upstream_uses.opened(row)
    db.session.rollback()

    try:
        found = upstream_steps.update_client(used)
    except OutboundError as error:
        return back(upstream_id, " ".join(failures.of_error(error)), "error")
    if isinstance(found, Refused):
        return back(upstream_id, found.sentence, "error")

    upstreams.note_registration(
        known(upstream_id), found, seen, current_key("connections"), by=actor()
    )
    db.session.commit()
    return back(upstream_id, "The client there is what this server says of itself now.")


def show_secret(row: Connection, form: Form) -> Response:
    """Show the form for a new secret."""
    return refused(render_page("upstream_secret.html", row=row, faults=form.faults), form)
