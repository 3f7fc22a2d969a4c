"""Initial access tokens: who may register, what each is for, and which clients it has made."""

from flask import Response, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import clock
from app.config import current_settings
from app.console import initial_access_token_form
from app.console.clients import find_window, row_of
from app.console.pages import actor, console_blueprint, render_page, requires
from app.console.rule_words import bounds_of
from app.console.sorting import headers
from app.domain import client_lists, registration_modes, registration_tokens
from app.domain.client_lists import ORDERS, Filters
from app.extensions import db

bp = console_blueprint("initial_access_tokens", __name__, "/initial-access-tokens")


@bp.get("/")
def list_tokens() -> Response:
    """Show all tokens, newest first."""
    now = clock.epoch()
    settings = current_settings()
    return render_page(
        "initial_access_tokens.html",
        rows=[(row, registration_tokens.state(row, now)) for row in registration_tokens.find_all()],
        mode=registration_modes.current(settings.registration_mode),
        has_static=bool(settings.registration_token.get_secret_value()),
    )


@bp.get("/<token_id>")
def show_token(token_id: str) -> Response:
    """Show one token: what was laid down about it, how it stands, and the clients it has made."""
    row = registration_tokens.get(token_id)
    now = clock.epoch()
    shown = find_window(Filters(token=row.id))
    return render_page(
        "initial_access_token.html",
        row=row,
        state=registration_tokens.state(row, now),
        verdict=initial_access_token_form.VERDICTS[row.verdict],
        bounds=bounds_of(registration_tokens.bounds_of(row)),
        count=client_lists.count_of_token(row.id),
        rows=[row_of(client, known, now) for client, known in shown.rows],
        shown=shown,
        headers=headers(ORDERS),
    )


@bp.post("/revoke/<token_id>")
@requires("admin")
def revoke_token(token_id: str) -> BaseResponse:
    """End a token; clients that it made stay."""
    registration_tokens.revoke(token_id, by=actor())
    db.session.commit()
    flash("The token is revoked; clients that it made go on.", "success")
    return redirect(url_for("initial_access_tokens.list_tokens"), 303)


bp.get("/new")(initial_access_token_form.new_token)
bp.post("/new")(initial_access_token_form.create_token)
