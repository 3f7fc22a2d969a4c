"""Signing in with a passkey, alone or after a password."""

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from app import browser_session, provider_uses
from app.config import current_settings
from app.domain import errors, passkey_ceremonies, passkey_challenges, second_factors
from app.domain.passkey_ceremonies import Site
from app.domain.second_factors import KEY, MULTIPLE
from app.extensions import db
from app.limits import spend
from app.protocol import caller, login, people, second_factor

bp = Blueprint("passkey", __name__, url_prefix="/passkey")


@bp.post("/options")
def begin() -> dict[str, Any]:
    """Return what the browser needs to use a passkey."""
    spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
    challenge = passkey_challenges.issue(provider_uses.browser_secret())
    db.session.commit()
    return passkey_ceremonies.request_options(Site(current_settings().issuer), challenge)


@bp.post("")
def prove() -> Response:
    """Take what a passkey signed, and sign its person in, in a new session."""
    spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
    after = people.local_path(request.form.get("next", "")) or ""
    half, before = browser_session.half_user(), browser_session.current()
    text, browser = request.form.get("credential", ""), provider_uses.browser_secret()
    site = Site(current_settings().issuer)
    try:
        user = second_factors.prove_by_passkey(site, text, browser, half, by=caller.actor())
    except errors.AccessDenied as refusal:
        db.session.commit()
        if half is not None and second_factors.has(half.id):
            return second_factor.show(half, after, 401, error=str(refusal.description))
        return login.show_failure(refusal, "", after)

    methods, origin = (before.methods, before.origin) if half is not None else ((), None)
    proven = (*methods, KEY, MULTIPLE)
    browser_session.begin(user, current_settings(), caller.address(), proven, origin=origin)
    return second_factor.finish(user, after)
