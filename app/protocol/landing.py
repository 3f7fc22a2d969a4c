"""The front door, and the first administrator's way in."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import browser_session
from app.answers import json_answer
from app.config import current_settings
from app.domain import errors, passwords, setup_links, users
from app.extensions import db
from app.limits import spend
from app.protocol import caller, people

bp = Blueprint("landing", __name__)


@bp.get("/")
def show_landing() -> str:
    """Say what this server is and where to go."""
    issuer = current_settings().issuer
    user = people.signed_in()
    operator = user is not None and users.may(user, "viewer")
    return render_template(
        "protocol/landing.html",
        issuer=issuer,
        sign_in_url=url_for("login.sign_in"),
        console_url=url_for("overview.show_overview") if operator else None,
        docs_url=None,
        discovery=(
            ("OAuth metadata", f"{issuer}/.well-known/oauth-authorization-server"),
            ("OpenID metadata", f"{issuer}/.well-known/openid-configuration"),
            ("Keys", f"{issuer}/.well-known/jwks.json"),
        ),
    )


@bp.get("/livez")
def live() -> Response:
    """Answer that the process runs."""
    return json_answer({"status": "ok"})


@bp.get("/readyz")
def ready() -> Response:
    """Answer that the database answers."""
    caller.current_generations()
    return json_answer({"status": "ok"})


@bp.get("/setup")
def setup() -> str | Response:
    """Show the form for the first administrator while there is none."""
    if users.has_admin():
        return redirect(url_for("login.sign_in"), 303)
    return show_setup({}, "")


@bp.post("/setup")
def create_administrator() -> Response | tuple[str, int]:
    """Create the first administrator with the token of the setup link."""
    spend(current_settings().sign_in_rate_limit, "setup", caller.network())
    email = request.form.get("email", "")[:255]
    token = request.form.get("token", "").strip()[:256].removeprefix("#token=")
    password = request.form.get("password", "")
    db.session.rollback()
    try:
        user = setup_links.redeem(token, email, password, caller.passwords(), by=caller.actor())
    except errors.AccessDenied as refusal:
        return show_setup({"token": refusal.description}, email), 403
    except errors.Refusal as refusal:
        db.session.rollback()  # the token stays usable for a better password
        field = "password" if users.EMAIL.match(email.strip()) else "email"
        return show_setup({field: refusal.description}, email, token), 400

    browser_session.begin(user, current_settings(), caller.address())
    db.session.commit()
    return redirect(url_for("overview.show_overview"), 303)


def show_setup(faults: dict[str, str], email: str, token: str = "") -> str:
    """Show the setup form."""
    issuer = current_settings().issuer
    return render_template(
        "protocol/setup.html",
        action=url_for("landing.setup"),
        errors=faults,
        token=token,
        email=email,
        issuer=issuer,
        issuer_matches=request.host_url.rstrip("/") + request.script_root == issuer,
        minimum_length=passwords.SHORTEST,
    )
