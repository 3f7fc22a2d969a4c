"""System: health, signing keys, the registration mode, and every setting."""

from flask import Response, current_app, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import clock, health
from app.config import current_key, current_settings
from app.console import setting_groups
from app.console.pages import actor, console_blueprint, render_page, requires_fresh
from app.domain import errors, key_rotation, registration_modes, signing_keys
from app.extensions import db

bp = console_blueprint("system", __name__, "/system")
COMPROMISED = "compromised"
"""What is typed before all keys end."""
MODES = {
    "open": "Anyone may register; a person decides about software that is new.",
    "token": "Only who holds an initial access token may register.",
    "closed": "Nobody may register, and the metadata no longer names the endpoint. Clients that"
    " exist go on.",
}


@bp.get("/")
def show_system() -> Response:
    """Show how the server is and how it is set up."""
    settings = current_settings()
    keys = signing_keys.find_all()
    return render_page(
        "system.html",
        findings=list(health.examine(current_app)),
        keys=[(key, key_rotation.standing(key), key_rotation.since(key, keys)) for key in keys],
        rotates_at=rotates_at(),
        turns_at=key_rotation.turns_at(settings.key_rotation_days),
        consequences=key_rotation.CONSEQUENCES,
        mode=registration_modes.current(settings.registration_mode),
        configured_mode=settings.registration_mode,
        modes=list(MODES.items()),
        takes_documents=registration_modes.takes_documents(settings.cimd_enabled),
        groups=setting_groups.grouped(settings),
    )


def rotates_at() -> int | None:
    """Return from when on the keys can be rotated, unless that is now."""
    rows = key_rotation.find_next()
    at = key_rotation.ripe_at(rows) if rows else 0
    return at if at > clock.epoch() else None


@bp.post("/rotate-key")
@requires_fresh("admin", back="system.show_system")
def rotate_key() -> BaseResponse:
    """Sign with the next keys from now on; the old ones go on verifying."""
    key_rotation.rotate(current_key("signing keys"), by=actor())
    db.session.commit()
    return back("The next keys sign from now on; the old ones go on verifying.")


@bp.post("/replace-keys")
@requires_fresh("admin", back="system.show_system")
def replace_keys() -> BaseResponse:
    """End all keys at once, once the word was typed."""
    if request.form.get("confirm_name", "").strip() != COMPROMISED:
        return back("The word did not match; no key has ended.", "error")

    key_rotation.replace_compromised(current_key("signing keys"), by=actor())
    db.session.commit()
    return back(f"New keys sign from now on. {key_rotation.CONSEQUENCES}")


@bp.post("/registration-mode")
@requires_fresh("admin", back="system.show_system")
def switch_mode() -> BaseResponse:
    """Change who may register."""
    mode = request.form.get("mode", "")
    configured = current_settings().registration_mode
    if mode == registration_modes.current(configured):
        return back("Registration is in this mode already.", "message")

    registration_modes.switch(mode, configured, by=actor())
    db.session.commit()
    return back(f"Registration is now {mode}.")


@bp.post("/client-documents")
@requires_fresh("admin", back="system.show_system")
def switch_documents() -> BaseResponse:
    """Take metadata documents for clients, or no new ones."""
    wanted, configured = request.form.get("documents", ""), current_settings().cimd_enabled
    if wanted not in ("on", "off"):
        raise errors.InvalidRequest("Documents can be switched on or off.")
    if (wanted == "on") == registration_modes.takes_documents(configured):
        return back(f"Client ID metadata documents are {wanted} already.", "message")

    registration_modes.switch_documents(wanted == "on", configured, by=actor())
    db.session.commit()
    return back(f"Client ID metadata documents are now {wanted}.")


def back(message: str, category: str = "success") -> BaseResponse:
    """Go back to the page and say what happened."""
    flash(message, category)
    return redirect(url_for("system.show_system"), 303)
