"""The browsers in which a person is signed in, and ending that."""

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session, devices, provider_uses
from app.account.pages import account_blueprint, actor, person, render_page
from app.config import current_settings
from app.domain import sessions
from app.extensions import db

bp = account_blueprint("own_sessions", __name__)


@bp.get("/sessions")
def list_sessions() -> str:
    """Show the sessions, those used last first."""
    found = sessions.find_of_user(person().id, current_settings().session_idle_seconds)
    rows = [(row, devices.describe(row.user_agent)) for row in found]
    this = browser_session.current().session_id
    titles = {each.name: each.title for each in provider_uses.find_all()}
    return render_page("own_sessions.html", rows=rows, this=this, titles=titles)


@bp.post("/sessions/end")
def end_session() -> Response:
    """End one session."""
    session_id = request.form.get("session_id", "")[:64].replace("\0", "")

    sessions.end_one(person().id, session_id, by=actor())
    db.session.commit()
    return told("That browser is signed out.")


@bp.post("/sessions/end-others")
def end_other_sessions() -> Response:
    """End all sessions but the one of this browser."""
    sessions.end_others(person().id, browser_session.current().session_id, by=actor())
    db.session.commit()
    return told("All other browsers are signed out.")


def told(sentence: str) -> Response:
    """Go back to the list and say what happened."""
    flash(sentence)
    return redirect(url_for("own_sessions.list_sessions"), 303)
