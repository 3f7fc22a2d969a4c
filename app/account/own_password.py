"""The password of a person, and changing it."""

from flask import Response as FlaskResponse
from flask import flash, make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session
from app.account.pages import (
    account_blueprint,
    actor,
    address,
    network,
    passwords,
    person,
    render_page,
)
from app.config import current_settings
from app.domain import errors, new_passwords
from app.domain.passwords import SHORTEST
from app.extensions import db
from app.limits import spend

bp = account_blueprint("own_password", __name__)
CHANGED = (
    "Your password is changed. All other browsers are signed out, and apps that act for you have to"
    " ask you again."
)


@bp.get("/password")
def show_password() -> FlaskResponse:
    """Show the form."""
    return show_form({})


@bp.post("/password")
def change_password() -> Response:
    """Change the password by the one before; this browser stays signed in, in a new session."""
    spend(current_settings().sign_in_rate_limit, "sign-in", network())
    browser = browser_session.current()
    old, new = request.form.get("current_password", ""), request.form.get("new_password", "")
    if not old:
        return show_form({"current_password": "Type the password you have now."})
    try:
        new_passwords.change(person(), old, new, passwords(), by=actor())
    except errors.AccessDenied as refusal:
        db.session.commit()
        return show_form({"current_password": str(refusal.description)})
    except errors.InvalidRequest as refusal:
        return show_form({"new_password": str(refusal.description)})

    browser_session.begin(
        person(),
        current_settings(),
        address(),
        browser.methods,
        origin=browser.origin,
        auth_time=browser.auth_time,
    )
    db.session.commit()
    flash(CHANGED)
    return redirect(url_for("own_password.show_password"), 303)


def show_form(faults: dict[str, str]) -> FlaskResponse:
    """Show the form with what is wrong with it."""
    page = render_page(
        "own_password.html",
        faults=faults,
        email=person().email,
        minimum_length=SHORTEST,
        has_password=person().password_hash is not None,
    )
    return make_response(page, 422 if faults else 200)
