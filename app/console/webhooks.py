"""Webhooks: who is told of what happens here, what became of it, and sending it again."""

from typing import Any

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import upstream_uses
from app.config import current_key
from app.console import snippets
from app.console.forms import Form, refused
from app.console.pages import actor, asked, console_blueprint, render_page, requires, requires_fresh
from app.console.windows import first, window
from app.domain import announcements, errors, jobs, webhooks
from app.domain.announcements import Delivery, Endpoint
from app.extensions import db
from app.outbound import webhooks as sender
from app.outbound.errors import OutboundError

bp = console_blueprint("webhooks", __name__, "/webhooks")
STATES = ("waiting", "delivered", "dead")
URL_LENGTH, DESCRIPTION_LENGTH = 2000, 200
UNSUITABLE = errors.InvalidRequest(
    "The URL must be https on port 443 with a public host, or its host:port must be in"
    " GATEWRIGHT_OUTBOUND_ALLOW."
)


@bp.get("/")
def list_endpoints() -> Response:
    """Show all endpoints, and how much waits for each or was given up."""
    return render_page("webhooks.html", rows=webhooks.find_all(), counts=jobs.counts(), own=is_own)


@bp.get("/new")
@requires_fresh("admin")
def new_endpoint() -> BaseResponse:
    """Show the form."""
    return show_form(Form())


@bp.post("/new")
@requires_fresh("admin", keeps=True)
def create_endpoint() -> BaseResponse:
    """Make an endpoint and show its secret, on this page and never again."""
    form = Form()
    url = form.text("url", "The URL", URL_LENGTH)
    description = form.text("description", "The description", DESCRIPTION_LENGTH, required=False)
    wanted = form.several("events", announcements.NAMES)
    if url:
        with form.blaming("url"):
            check_url(url)
    if form.faults:
        return show_form(form)

    row, secret = webhooks.create(
        url, current_key("webhook secrets"), by=actor(), description=description, events=wanted
    )
    db.session.commit()
    return show_secret(row, secret)


def check_url(url: str) -> None:
    """Refuse a URL that events cannot be sent to."""
    try:
        sender.check(upstream_uses.outbound(), url)
    except OutboundError:
        raise UNSUITABLE from None


@bp.get("/<endpoint_id>")
def show_endpoint(endpoint_id: str) -> Response:
    """Show an endpoint and its deliveries, newest first."""
    row = webhooks.get(endpoint_id)
    state = asked("state") if asked("state") in STATES else ""

    def find(older: str | None, newer: str | None, size: int) -> list[Delivery]:
        return webhooks.find_deliveries(
            row.id, state=state, older_than=older, newer_than=newer, size=size
        )

    shown = window(find, lambda each: each.id)
    return render_page(
        "webhook.html",
        row=row,
        own=is_own(row),
        deliveries=shown.rows,
        tabs=[("All", first(state=None), not state)]
        + [(name.capitalize(), first(state=name), state == name) for name in STATES],
        shown=shown,
    )


@bp.get("/<endpoint_id>/<delivery_id>")
def show_delivery(endpoint_id: str, delivery_id: str) -> Response:
    """Show what was sent, and what the endpoint answered."""
    row = delivery_of(endpoint_id, delivery_id)
    return render_page("webhook_delivery.html", row=row, endpoint=webhooks.get(endpoint_id))


@bp.post("/<endpoint_id>/<delivery_id>/redeliver")
@requires("admin")
def redeliver(endpoint_id: str, delivery_id: str) -> BaseResponse:
    """Send an event once more."""
    webhooks.redeliver(delivery_of(endpoint_id, delivery_id), by=actor())
    db.session.commit()
    return back(endpoint_id, "The event is sent again within seconds.")


@bp.post("/<endpoint_id>/test")
@requires("admin")
def test_endpoint(endpoint_id: str) -> BaseResponse:
    """Send an event that means nothing."""
    webhooks.test(webhooks.get(endpoint_id), by=actor())
    db.session.commit()
    return back(endpoint_id, "A test event is on its way; its row shows what became of it.")


@bp.post("/<endpoint_id>/switch")
@requires_fresh("admin", back="webhooks.show_endpoint")
def switch_endpoint(endpoint_id: str) -> BaseResponse:
    """Switch an endpoint on or off."""
    state = request.form.get("state", "")
    if state not in ("on", "off"):
        raise errors.InvalidRequest("An endpoint can be switched on or off.")
    webhooks.switch(webhooks.get(endpoint_id), state, by=actor())
    db.session.commit()
    return back(endpoint_id, f"The endpoint is switched {state}.")


@bp.post("/<endpoint_id>/rotate-secret")
@requires_fresh("admin", back="webhooks.show_endpoint")
def rotate_secret(endpoint_id: str) -> BaseResponse:
    """Show a new secret; the old one signs beside it for a day."""
    row = webhooks.get(endpoint_id)
    secret = webhooks.rotate(row, current_key("webhook secrets"), by=actor())
    db.session.commit()
    return show_secret(row, secret)


@bp.post("/<endpoint_id>/remove")
@requires_fresh("admin", back="webhooks.show_endpoint")
def remove_endpoint(endpoint_id: str) -> BaseResponse:
    """Forget an endpoint and its deliveries."""
    webhooks.remove(webhooks.get(endpoint_id), by=actor())
    db.session.commit()
    flash("The endpoint is removed.", "success")
    return redirect(url_for("webhooks.list_endpoints"), 303)


def is_own(row: Endpoint) -> bool:
    """Tell whether an endpoint was made here and not by the settings."""
    return row.id != webhooks.ENVIRONMENT


def delivery_of(endpoint_id: str, delivery_id: str) -> Delivery:
    """Return a delivery of this endpoint; raises NotFound for that of another."""
    row = webhooks.get_delivery(delivery_id)
    if row.endpoint_id != endpoint_id:
        raise errors.NotFound("There is no delivery with this identifier.")
    return row


def show_form(form: Form) -> Response:
    """Show the form with what was typed."""
    values: dict[str, Any] = {"faults": form.faults, "typed": request.form}
    chosen = request.form.getlist("events")
    page = render_page("webhook_new.html", events=announcements.NAMES, chosen=chosen, **values)
    return refused(page, form)


def show_secret(row: Endpoint, secret: str) -> Response:
    """Show a secret for the only time."""
    return render_page(
        "webhook_secret.html",
        row=row,
        secret=secret,
        also=snippets.saved({"WEBHOOK_SECRET": secret}, {"url": row.url, "secret": secret}),
    )


def back(endpoint_id: str, message: str) -> BaseResponse:
    """Go back to the endpoint and say what happened."""
    flash(message, "success")
    return redirect(url_for("webhooks.show_endpoint", endpoint_id=endpoint_id), 303)
