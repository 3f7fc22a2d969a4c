"""Owns decisions about many pieces of software at once; each is checked and recorded by itself."""

from collections.abc import Callable, Sequence

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from app import browser_session
from app.console import matching
from app.console.forms import Form, moment
from app.console.pages import actor, asked, is_fresh, requires
from app.domain import credentials, decisions, errors, four_eyes, reversals, scopes, software
from app.domain.software import Software
from app.extensions import db

MOST = 100
STALE = (
    "It would get a scope of high risk, which needs a sign-in of the last five minutes; open it and"
    " approve it there."
)
Verb = Callable[[Software, str], Software]
"""Decides about software at the revision that was on the page."""


@requires("approver")
def approve_selected() -> Response:
    """Approve each selected piece of software with every scope it is offered.

    What one of two people has approved is approved as that person gave it.
    """
    return decide_each(selected(), approve_offered, "approved")


def approve_offered(row: Software, seen: str) -> Software:
    """Approve software with what it is offered; privileged scopes need a fresh sign-in (C-12)."""
    given = four_eyes.proposal(row)
    if scopes.privileged(given["allowed"]) and not is_fresh():
        raise errors.AccessDenied(STALE)
    return decisions.approve(row.id, seen, by=actor(), **given)


@requires("approver")
def reject_selected() -> Response:
    """Reject each selected piece of software with the same reason."""
    form = Form()
    reason = form.reason()
    if form.faults:
        flash(f"Nothing was rejected. {form.faults['reason']}", "error")
        return back()
    return decide_each(
        selected(),
        lambda row, seen: decisions.reject(row.id, seen, reason, by=actor()),
        "rejected",
    )


@requires("approver")
def undo_selected() -> Response:
    """Let each selected piece of software wait again, as far as nothing has come of it."""
    return decide_each(
        last_decided() if "last" in request.form else selected(),
        lambda row, seen: reversals.undo(row.id, moment(seen), by=actor()),
        "waiting again",
    )


def selected() -> list[str]:
    """Return identifiers with revisions of what the form selects: rows, or all that match."""
    if "matching" not in request.form:
        return request.form.getlist("selected")[:MOST]
    found, left_out = matching.chosen(asked("q"), request.form.get("seen", ""))
    if left_out:
        flash(f"{left_out} left out: they came, or changed, after the page was shown.", "warning")
    return found


def decide_each(wanted: Sequence[str], verb: Verb, word: str) -> Response:
    """Decide about each row by itself; those that cannot be decided are reported one by one."""
    done: list[Software] = []
    failures: list[tuple[str, str, str]] = []
    for each in wanted:
        software_id, _, seen = each.partition(":")
        row = software.find(software_id)
        if row is None:
            failures.append(("", "", "It is not there any more."))
            continue
        try:
            done.append(verb(row, seen.replace("\0", "")))
        except errors.Refusal as refusal:
            failures.append((row.id, row.name, str(refusal.description)))

    if failures:
        browser_session.current()["undecided"] = failures
    db.session.commit()
    if done:
        decided = [(row.id, row.decided_at) for row in done if row.decided_at is not None]
        browser_session.current()["decided"] = decided
    say(done, word)
    if not done and not failures:
        flash("Nothing was selected.", "error")
    return back()


def say(done: Sequence[Software], word: str) -> None:
    """Say how much was decided, and how much a second person has to approve as well."""
    halves = sum(row.first_approval is not None and row.status == "pending" for row in done)
    if len(done) > halves:
        flash(f"{len(done) - halves} {word}.", "success")
    if halves:
        flash(f"{halves} approved by you; a second person has to approve as well.", "success")


def undoable(now: int) -> tuple[int, str]:
    """Return how much of what this operator decided last can be taken back, and its mark."""
    found = browser_session.current().get("decided", [])
    return sum(each[1] + reversals.UNDO_SECONDS > now for each in found), mark_of(found)


def last_decided() -> list[str]:
    """Return what this operator decided last, unless the page spoke of something else."""
    found = browser_session.current().get("decided", [])
    if request.form["last"] != mark_of(found):
        return []
    return [f"{software_id}:{decided_at}" for software_id, decided_at in found]


def mark_of(decided: Sequence[tuple[str, int]]) -> str:
    """Return a short name for decisions."""
    return credentials.thumbprint(repr([tuple(each) for each in decided]))


def take_failures() -> list[tuple[str, str, str]]:
    """Return identifier, name and sentence of what the last decision left undone, once."""
    found = browser_session.current().pop("undecided", [])
    return [(software_id, name or "(no name)", sentence) for software_id, name, sentence in found]


def back() -> Response:
    """Go back to the queue."""
    return redirect(url_for("registrations.list_registrations"), 303)
