"""The page behind a one-time link, where somebody sets the password of their account."""

from flask import Blueprint, Response, make_response, render_template, request, url_for

from app.account.pages import network, passwords, stranger
from app.config import current_settings
from app.domain import errors, new_passwords
from app.domain.passwords import SHORTEST
from app.extensions import db
from app.limits import spend

bp = Blueprint("new_password", __name__, url_prefix="/account")
LONGEST_TOKEN = 256


@bp.get("/new-password")
def ask_password() -> Response:
    """Show the form."""
    return show_form({})


@bp.post("/new-password")
def set_password() -> Response:
    """Set the password with the token of the link."""
    spend(current_settings().sign_in_rate_limit, "password link", network())
    token = request.form.get("token", "").strip()[:LONGEST_TOKEN].removeprefix("#token=")
    password = request.form.get("password", "")
    try:
        user = new_passwords.redeem(token, password, passwords(), by=stranger())
    except errors.AccessDenied as refusal:
        return show_form({"token": str(refusal.description)}, status=403)
    except errors.InvalidRequest as refusal:
        return show_form({"password": str(refusal.description)}, token, status=422)

    db.session.commit()
    sign_in_url = url_for("login.sign_in", again="yes")
    page = render_template("account/password_set.html", email=user.email, sign_in_url=sign_in_url)
    return make_response(page)


def show_form(faults: dict[str, str], token: str = "", status: int = 200) -> Response:
    """Show the form with what is wrong with it."""
    page = render_template(
        "account/new_password.html", faults=faults, token=token, minimum_length=SHORTEST
    )
    return make_response(page, status)
