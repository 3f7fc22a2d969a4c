"""Owns what stops, starts and ends a client, or several."""

from collections.abc import Callable

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app.console.client_page import address_of, name_of
from app.console.forms import Form
from app.console.pages import actor, requires
from app.domain import clients
from app.domain.client_records import Client
from app.extensions import db

MOST = 100


@requires("approver")
def suspend_client(client_id: str) -> Response:
    """Stop a client and end everything it holds."""
    said = "The client is suspended and everything it held has ended."
    return with_reason(client_id, clients.suspend, said)


@requires("approver")
def resume_client(client_id: str) -> Response:
    """Let a suspended client work again."""
    said = "The client may work again; people have to consent again."
    return with_reason(client_id, clients.resume, said)


def with_reason(client_id: str, verb: Callable[..., None], said: str) -> Response:
    """Change the state of a client for a reason."""
    client = clients.get(client_id)
    form = Form()
    reason = form.reason()
    if form.faults:
        return back(client, form.faults["reason"], "error")

    verb(client, reason, by=actor())
    db.session.commit()
    return back(client, said)


@requires("approver")
def revoke_tokens(client_id: str) -> Response:
    """End all grants of a client that goes on existing."""
    client = clients.get(client_id)

    ended = clients.revoke_tokens(client, by=actor())
    db.session.commit()
    return back(client, f"{ended} {'grant has' if ended == 1 else 'grants have'} ended.")


@requires("admin")
def delete_client(client_id: str) -> Response:
    """Turn a client into a tombstone, once its name was typed."""
    client = clients.get(client_id)
    if request.form.get("confirm_name", "").strip() != name_of(client):
        return back(client, "The name did not match; nothing was deleted.", "error")

    clients.delete(client, "deleted by an operator", by=actor())
    db.session.commit()
    flash("The client is deleted and everything it held has ended.", "success")
    return redirect(url_for("clients_console.list_clients"), 303)


@requires("admin")
def delete_selected() -> Response:
    """Delete all selected clients or none; there is no way back, their credentials are gone."""
    form = Form()
    reason = form.reason()
    if form.faults:
        flash(f"Nothing was deleted. {form.faults['reason']}", "error")
        return redirect(url_for("clients_console.list_clients"), 303)

    selected = request.form.getlist("selected")[:MOST]
    for client_id in selected:
        clients.delete(clients.get(client_id), reason, by=actor())
    db.session.commit()
    flash(f"{len(selected)} deleted." if selected else "Nothing was selected.", "success")
    return redirect(url_for("clients_console.list_clients"), 303)


def back(client: Client, message: str, category: str = "success") -> Response:
    """Go back to the client and say what happened."""
    flash(message, category)
    return redirect(address_of(client), 303)
