"""Owns the rotation of a client's secret: asking, and showing the new one once."""

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from app import clock
from app.config import current_key, current_settings
from app.console import snippets
from app.console.client_page import address_of, name_of
from app.console.forms import Form, refused
from app.console.pages import actor, render_page, requires_fresh
from app.domain import assertion_secrets, clients, credentials, errors
from app.domain.client_records import Client
from app.extensions import db

OVERLAPS = {
    "0": "Stop it at once",
    "3600": "Let it work for 1 hour",
    "86400": "Let it work for 24 hours",
    "604800": "Let it work for 7 days",
}


@requires_fresh("admin")
def ask_rotation(client_id: str) -> BaseResponse:
    """Ask how long the old secret shall work."""
    return show_form(clients.get(client_id), Form())


@requires_fresh("admin")
def rotate_secret(client_id: str) -> BaseResponse:
    """Make a new secret and show it, on this page and never again."""
    client = clients.get(client_id)
    form = Form()
    overlap = int(form.choice("overlap", "The overlap", OVERLAPS))
    if form.faults:
        return show_form(client, form)
    if request.form.get("seen") != seen(client):
        raise errors.Conflict(
            "The secret was rotated since this form was loaded; look at the client again."
        )

    issued = clients.rotate_secret(client, by=actor(), overlap_seconds=overlap)
    assertion_secrets.seal(client, issued.client_secret, current_key("client secrets"))
    db.session.commit()
    return render_page(
        "client_secret.html",
        client=client,
        name=name_of(client),
        secret=issued.client_secret,
        also=snippets.credentials(client, current_settings().issuer, issued),
        until=client.old_secret_expires_at if overlap else None,
        client_url=address_of(client),
    )


def show_form(client: Client, form: Form) -> Response:
    """Show the form of a confidential client."""
    if client.secret_digest is None:
        raise errors.Conflict("This client has no secret to rotate.")
    until = client.old_secret_expires_at if client.old_secret_digest else None
    page = render_page(
        "client_rotate.html",
        client=client,
        name=name_of(client),
        faults=form.faults,
        overlaps=[(seconds, label, None) for seconds, label in OVERLAPS.items()],
        seen=seen(client),
        old_until=until if until is not None and until > clock.epoch() else None,
        client_url=address_of(client),
    )
    return refused(page, form)


def seen(client: Client) -> str:
    """Return what changes with every rotation, so that a form sent twice rotates once."""
    return credentials.thumbprint(client.secret_digest or "")
