"""Initial access tokens: who may register, made here and shown once."""

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import clock
from app.config import current_settings
from app.console import snippets
from app.console.forms import Form, refused
from app.console.pages import actor, console_blueprint, render_page, requires
from app.domain import registration_modes, registration_tokens
from app.domain.registration_tokens import InitialAccessToken
from app.extensions import db

bp = console_blueprint("initial_access_tokens", __name__, "/initial-access-tokens")
NAME_LENGTH = 100
MOST_USES = 1_000_000
LIFETIMES = {
    "1": "1 day",
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "1 year",
    "never": "Never expires",
}


@bp.get("/")
def list_tokens() -> Response:
    """Show all tokens, newest first."""
    now = clock.epoch()
    settings = current_settings()
    return render_page(
        "initial_access_tokens.html",
        rows=[(row, state(row, now)) for row in registration_tokens.find_all()],
        mode=registration_modes.current(settings.registration_mode),
        has_static=bool(settings.registration_token.get_secret_value()),
    )


def state(row: InitialAccessToken, now: int) -> str:
    """Return whether a token can still be used, and if not why."""
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "active" if registration_tokens.usable(row, now) else "spent"


@bp.get("/new")
@requires("admin")
def new_token() -> Response:
    """Show the form."""
    return show_form(Form())


@bp.post("/new")
@requires("admin")
def create_token() -> Response:
    """Make a token and show it, on this page and never again."""
    form = Form()
    name = form.text("name", "The name", NAME_LENGTH)
    uses = form.number("uses", "The number of uses", 1, MOST_USES)
    lifetime = form.choice("lifetime", "The lifetime", LIFETIMES)
    if form.faults:
        return show_form(form)

    expires_at = None if lifetime == "never" else clock.epoch() + int(lifetime) * 86400
    row, value = registration_tokens.create(name, by=actor(), uses=uses, expires_at=expires_at)
    db.session.commit()
    command = snippets.registration(current_settings().issuer, value)
    return render_page("initial_access_token.html", row=row, value=value, command=command)


@bp.post("/revoke/<token_id>")
@requires("admin")
def revoke_token(token_id: str) -> BaseResponse:
    """End a token; clients that it made stay."""
    registration_tokens.revoke(token_id.replace("\0", ""), by=actor())
    db.session.commit()
    flash("The token is revoked; clients that it made go on.", "success")
    return redirect(url_for("initial_access_tokens.list_tokens"), 303)


def show_form(form: Form) -> Response:
    """Show the form with what was typed."""
    page = render_page(
        "initial_access_token_new.html",
        faults=form.faults,
        typed=request.form,
        lifetimes=list(LIFETIMES.items()),
        lifetime=request.form.get("lifetime", "30"),
    )
    return refused(page, form)
