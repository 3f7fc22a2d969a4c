"""Connections that people authorize: discovered, given a client there, authorized, ended."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import security, upstream_steps, upstream_uses
from app.config import current_key
from app.console import connection_form, upstream_form
from app.console.connections import back
from app.console.forms import Form
from app.console.pages import (
    actor,
    asks_others,
    console_blueprint,
    operator,
    render_page,
    requires,
    requires_fresh,
)
from app.domain import (
    connection_grants,
    connection_step_ups,
    connections,
    upstreams,
)
from app.domain.connection_grants import SERVICE
from app.domain.connection_records import Connection
from app.domain.connections import Remains
from app.extensions import db
from app.outbound import discovery, exhibits

bp = console_blueprint("upstreams", __name__, "/connections")


@bp.get("/new/upstream")
@requires_fresh("admin")
def new_upstream() -> BaseResponse:
    """Show the form."""
    return upstream_form.show_new(Form())


@bp.post("/new/upstream")
@requires_fresh("admin")
def create_upstream() -> BaseResponse:
    """Hold what people can authorize; its authorization server is looked for next."""
    form, draft = Form(), upstream_form.draft()
    with form.blaming("name"), connection_form.blaming_members(form):
        row = connections.create(
            connection_form.text("name"), draft, current_key("connections"), by=actor()
        )
    if form.faults:
        return upstream_form.show_new(form)

    db.session.commit()
    return back(row.id, "The connection is made; look for its authorization server now.")


@bp.post("/<upstream_id>/discover")
@requires("admin")
@asks_others
def discover_server(upstream_id: str) -> Response:
    """Look for the authorization server and show each step; no transaction is open meanwhile."""
    url = known(upstream_id).url or ""
    db.session.rollback()

    found = discovery.discover(upstream_uses.outbound(), url)

    remains = upstream_steps.keep_server(known(upstream_id), found, by=actor())
    db.session.commit()
    clear(remains)
    row = known(upstream_id)
    return render_page("upstream_found.html", row=row, found=found, way=upstream_form.way_to(row))


@bp.get("/<upstream_id>/register")
@requires_fresh("admin")
def ask_client(upstream_id: str) -> BaseResponse:
    """Show how this server can become a client there."""
    return upstream_form.show_register(known(upstream_id), Form())


@bp.post("/<upstream_id>/register")
@requires_fresh("admin")
@asks_others
def register_client(upstream_id: str) -> BaseResponse:
    """Become a client there: one that was given, by our document, or by registration."""
    form, row = Form(), known(upstream_id)
    seen, server, scopes = row.revision, upstream_uses.server_of(row), row.scope.split()
    db.session.rollback()

    client = upstream_form.become_client(form, server, scopes)

    if client is None:
        return upstream_form.show_register(known(upstream_id), form)
    with form.blaming("client_id"), connection_form.blaming_members(form):
        remains = upstreams.note_registration(
            known(upstream_id), client, seen, current_key("connections"), by=actor()
        )
    if form.faults:
        upstream_steps.abandon(client)
        return upstream_form.show_register(known(upstream_id), form)

    db.session.commit()
    clear(remains)
    return back(upstream_id, "This server has a client there; the connection can be authorized.")


@bp.post("/<upstream_id>/authorize")
@requires("admin")
def authorize(upstream_id: str) -> BaseResponse:
    """Send the operator to the other server, to allow access for this server itself."""
    agreed = request.form.get("wanted", "")
    url = upstream_uses.begin(known(upstream_id), operator(), for_service=True, agreed=agreed)
    db.session.commit()
    return redirect(url, 303)


@bp.post("/<upstream_id>/decline")
@requires("admin")
def decline(upstream_id: str) -> BaseResponse:
    """Keep what this server itself has as it is, although more is wanted."""
    connection_step_ups.decline(known(upstream_id).id, SERVICE, by=actor())
    db.session.commit()
    return back(upstream_id, "The login keeps the scopes that it has.")


@bp.post("/<upstream_id>/try")
@requires("admin")
@asks_others
def test_upstream(upstream_id: str) -> Response:
    """Ask the API with the token of this server; no transaction is open meanwhile."""
    row = known(upstream_id)
    url, used = row.url or "", upstream_uses.opened(row)
    db.session.rollback()

    trial = upstream_steps.attempt(upstream_id, url)

    row = known(upstream_id)
    wanted = upstream_uses.note_wanted(row, trial.challenge)
    connections.note_test(row, trial.code, by=actor())
    db.session.commit()
    if wanted:
        security.allow_form_target(used.server.authorization_endpoint)
    shown = [exhibits.of(each, [used.client.client_secret]) for each in trial.exchanges]
    return render_page("upstream_trial.html", row=row, trial=trial, exhibits=shown, wanted=wanted)


@bp.post("/<upstream_id>/revoke")
@requires("admin")
def revoke_grant(upstream_id: str) -> BaseResponse:
    """Forget the tokens of this server itself, here and then there."""
    row = known(upstream_id)
    left = connection_grants.drop(row.id, SERVICE, by=actor())
    db.session.commit()
    clear(Remains(row, left), with_client=False)
    return back(upstream_id, "The tokens of this server are forgotten here.")


@bp.post("/<upstream_id>/delete")
@requires("admin")
def delete_upstream(upstream_id: str) -> BaseResponse:
    """Forget a connection, its client and all its tokens, once its name was typed."""
    row = known(upstream_id)
    if request.form.get("confirm_name", "").strip() != row.name:
        return back(row.id, "The name did not match; nothing was deleted.", "error")

    remains = connections.remove(row, by=actor())
    db.session.commit()
    clear(remains)
    flash("The connection is deleted.", "success")
    return redirect(url_for("connections.list_connections"), 303)


def known(upstream_id: str) -> Connection:
    """Return a connection that people authorize; raises NotFound, and Conflict for another kind."""
    row = connections.get_by_id(upstream_id)
    upstreams.check_kind(row)
    return row


def clear(remains: Remains | None, *, with_client: bool = True) -> None:
    """End at the other server what is left there, after the commit; tell what may go on."""
    if remains is None:
        return
    for sentence in upstream_steps.clear(remains, by=actor(), with_client=with_client):
        flash(sentence, "error")
    db.session.commit()
