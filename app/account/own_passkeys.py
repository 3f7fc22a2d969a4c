"""Adding a passkey: what the browser needs to make one, and taking the one it made."""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session, devices, provider_uses
from app.account.enrolment import admit_adding, enrolling, finish
from app.account.pages import actor_of, network
from app.config import current_key, current_settings
from app.domain import errors, passkey_ceremonies, passkey_challenges, passkeys, second_factors
from app.domain.passkey_ceremonies import Site
from app.extensions import db
from app.limits import spend

bp = Blueprint("own_passkeys", __name__, url_prefix="/account/security/passkeys")
bp.before_request(admit_adding)


@bp.post("/options")
def begin() -> dict[str, Any]:
    """Return what the browser needs to make a passkey."""
    user, site = enrolling(), Site(current_settings().issuer)
    challenge = passkey_challenges.issue(provider_uses.browser_secret(), user.id)
    known = [each.credential_id for each in passkeys.of_user(user.id)]
    db.session.commit()
    return passkey_ceremonies.creation_options(site, challenge, user.id, user.email, known)


@bp.post("")
def add() -> Response:
    """Take the passkey that the browser made."""
    spend(current_settings().sign_in_rate_limit, "sign-in", network())
    user, site, key = enrolling(), Site(current_settings().issuer), current_key("second factors")
    name = " ".join(request.form.get("name", "").replace("\0", "").split())
    shown = name[: passkeys.LONGEST_NAME] or devices.describe(request.headers.get("User-Agent", ""))
    try:
        answer = passkey_ceremonies.read(request.form.get("credential", ""))
        new = passkeys.made(site, answer, provider_uses.browser_secret(), user.id)
        codes = second_factors.add_passkey(user, new, shown, key, by=actor_of(user))
    except (errors.AccessDenied, errors.Conflict) as refusal:
        db.session.commit()
        flash(str(refusal.description), "error")
        back = "enrolment.show" if browser_session.half_user() else "own_factors.list_factors"
        return redirect(url_for(back), 303)

    return finish(user, codes, second_factors.KEY)
