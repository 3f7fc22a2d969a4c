"""Clean-up: what the next sweep would end and purge, and doing it now."""

from flask import Response, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.config import current_settings
from app.console.pages import actor, console_blueprint, render_page, requires
from app.domain import sweeps
from app.extensions import db

bp = console_blueprint("clean_up", __name__, "/clean-up")
ROUNDS = 20
"""So many batches are done while somebody waits; the server does the rest by itself."""


@bp.get("/")
def show_clean_up() -> Response:
    """Show what a sweep would do now."""
    settings = current_settings()
    return render_page(
        "clean_up.html",
        due=sweeps.due(settings.sweep_rules),
        rules=settings.sweep_rules,
        shown=sweeps.SHOWN,
    )


@bp.post("/")
@requires("admin")
def sweep_now() -> BaseResponse:
    """Do what is due, as far as somebody may be kept waiting."""
    done = 0
    for _ in range(ROUNDS):
        step = sum(sweeps.sweep(current_settings().sweep_rules, by=actor()).values())
        db.session.commit()
        if not step:
            break
        done += step

    flash(f"Cleaned up: {done} in all." if done else "There was nothing to clean up.", "success")
    return redirect(url_for("clean_up.show_clean_up"), 303)
