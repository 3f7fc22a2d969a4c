"""The second factor of a person: what there is, removing it, and new recovery codes."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session
from app.account.enrolment import show_codes, sign_in_again
from app.account.pages import account_blueprint, actor, address, person, render_page
from app.config import current_key, current_settings
from app.domain import authenticators, errors, passkeys, recovery_codes, second_factors, sessions
from app.extensions import db

bp = account_blueprint("own_factors", __name__)
OTHERS = "All other browsers are signed out."


def admit_changing() -> Response | None:
    """Let change something who has proved everything a few minutes ago (C-08, C-12)."""
    return sign_in_again(person(), "own_factors.list_factors") if request.method == "POST" else None


bp.before_request(admit_changing)


@bp.get("/security")
def list_factors() -> str:
    """Show what there is."""
    return render_page(
        "own_factors.html",
        app=authenticators.find(person().id),
        passkeys=passkeys.of_user(person().id),
        longest_name=passkeys.LONGEST_NAME,
        codes_left=recovery_codes.number_left(person().id),
        is_demanded=person().role in current_settings().second_factor_roles,
    )


@bp.post("/security/remove")
def remove_authenticator() -> Response:
    """Remove the app."""
    second_factors.remove(person(), by=actor())
    return stay("Your authenticator app is removed.")


@bp.post("/security/passkeys/remove")
def remove_passkey() -> Response:
    """Remove one passkey."""
    passkey_id = request.form.get("passkey_id", "")[:64].replace("\0", "")
    try:
        second_factors.remove_passkey(person(), passkey_id, by=actor())
    except errors.Conflict as refusal:
        flash(str(refusal.description), "error")
        return redirect(url_for("own_factors.list_factors"), 303)
    return stay("The passkey is removed.")


def stay(sentence: str) -> Response:
    """Keep this browser signed in, in a new session; without a factor the password alone counts."""
    user, browser = person(), browser_session.current()
    left = browser.methods if second_factors.has(user.id) else (sessions.PASSWORD,)
    browser_session.begin(
        user,
        current_settings(),
        address(),
        left,
        origin=browser.origin,
        auth_time=browser.auth_time,
    )
    db.session.commit()
    flash(f"{sentence} {OTHERS}")
    return redirect(url_for("own_factors.list_factors"), 303)


@bp.post("/security/recovery-codes")
def renew_codes() -> Response:
    """Show new recovery codes, on this page and never again; those before end."""
    if not second_factors.has(person().id):
        return redirect(url_for("own_factors.list_factors"), 303)

    codes = recovery_codes.issue(person().id, current_key("second factors"), by=actor())
    db.session.commit()
    return show_codes(codes, None)
