"""Owns decisions about many pieces of software at once; each is checked and recorded by itself."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session
from app.console.forms import Form
from app.console.pages import actor, requires
from app.domain import decisions, errors, software
from app.domain.software import Software
from app.extensions import db

MOST = 100
Verb = Callable[[Software, str], Any]
"""Decides about software at the revision that was on the page."""


@requires("approver")
def approve_selected() -> Response:
    """Approve each selected piece of software with every scope it is offered."""
    return decide_each(
        lambda row, seen: decisions.approve(
            row.id, seen, by=actor(), allowed=decisions.offered_scopes(row)
        ),
        "approved",
    )


@requires("approver")
def reject_selected() -> Response:
    """Reject each selected piece of software with the same reason."""
    form = Form()
    reason = form.reason()
    if form.faults:
        flash(f"Nothing was rejected. {form.faults['reason']}", "error")
        return back()
    return decide_each(
        lambda row, seen: decisions.reject(row.id, seen, reason, by=actor()), "rejected"
    )


def decide_each(verb: Verb, word: str) -> Response:
    """Decide about each row by itself; those that cannot be decided are reported one by one."""
    done, failures = 0, []
    for selected in request.form.getlist("selected")[:MOST]:
        software_id, _, seen = selected.partition(":")
        row = software.find(software_id)
        if row is None:
            failures.append(("", "", "It is not there any more."))
            continue
        try:
            verb(row, seen.replace("\0", ""))
            done += 1
        except errors.Refusal as refusal:
            failures.append((row.id, row.name, str(refusal.description)))

    if failures:
        browser_session.current()["undecided"] = failures
    db.session.commit()
    if done:
        flash(f"{done} {word}.", "success")
    elif not failures:
        flash("Nothing was selected.", "error")
    return back()


def take_failures() -> list[tuple[str, str, str]]:
    """Return identifier, name and sentence of what the last decision left undone, once."""
    found = browser_session.current().pop("undecided", [])
    return [(software_id, name or "(no name)", sentence) for software_id, name, sentence in found]


def back() -> Response:
    """Go back to the queue."""
    return redirect(url_for("registrations.list_registrations"), 303)
