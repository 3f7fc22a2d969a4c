"""Unsent: the form that somebody sent who had to sign in again, to be sent after all."""

from typing import Any

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import browser_session
from app.console.pages import console_blueprint, render_page

bp = console_blueprint("unsent", __name__, "/unsent")


@bp.get("/")
def show_unsent() -> Response | BaseResponse:
    """Show what was kept and has not taken effect, with a button that sends it."""
    kept: dict[str, Any] | None = browser_session.current().get(browser_session.UNSENT)
    if kept is None:
        return redirect(url_for("overview.show_overview"), 303)
    return render_page("unsent.html", **kept)
