"""Owns the decisions about one piece of software: approve, reject, block, unblock."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import clock
from app.console.differences import differences
from app.console.forms import REASON_LENGTH, Form, moment, word
from app.console.pages import actor, is_fresh, keep_unsent, requires, sign_in_again
from app.console.software_page import render
from app.domain import client_changes, decisions, errors, resources, scopes, software, sweeps
from app.domain.software import Software
from app.extensions import db

FIRST = "Your approval is noted. A second person has to approve it too."


@requires("approver")
def approve(software_id: str) -> BaseResponse:
    """Approve software as it was seen, with what the approver leaves it."""
    row = software.get(software_id)
    form = Form()
    allowed = form.several("scopes", decisions.offered_scopes(row))
    if not allowed and decisions.offered_scopes(row):
        form.faults["scopes"] = "Leave it at least one scope, or reject it."
    ceiling = resources_of(form)
    until = until_of(form)
    reason = form.reason(required=False)
    if form.faults:
        return unprocessable(row, form)

    return give(
        software_id,
        allowed,
        lambda: decisions.approve(
            software_id,
            word("revision"),
            by=actor(),
            allowed=allowed,
            resources=ceiling,
            until=until,
            reason=reason,
        ),
        "Approved. Its clients can ask for tokens now.",
    )


@requires("approver")
def renew(software_id: str) -> BaseResponse:
    """Give an approval that ends, or has ended, another end."""
    row = software.get(software_id)
    form = Form()
    until = until_of(form)
    note = form.text("note", "A note", REASON_LENGTH, required=False)
    if form.faults:
        return unprocessable(row, form)

    return give(
        software_id,
        row.scopes,
        lambda: decisions.renew(
            software_id,
            moment(word("seen_until")),
            until=until,
            by=actor(),
            reason=note,
        ),
        "Renewed. Its clients go on with what they have.",
    )


@requires("approver")
def forget(software_id: str) -> BaseResponse:
    """Forget software that expired, so that it can come again as new."""
    row = software.get(software_id)
    try:
        sweeps.forget(software_id, by=actor())
    except errors.Conflict as refusal:
        db.session.rollback()
        flash(str(refusal.description), "error")
        return redirect(url_for("registrations.show_registration", software_id=row.id), 303)

    db.session.commit()
    flash("Forgotten. When it registers again it waits as new software.", "success")
    return redirect(url_for("registrations.list_registrations"), 303)


@requires("approver")
def reject(software_id: str) -> BaseResponse:
    """Reject software as it was seen."""
    return with_reason(
        software_id,
        lambda reason: decisions.reject(software_id, word("revision"), reason, by=actor()),
        "Rejected. Its clients get nothing, and registering again is refused.",
    )


@requires("approver")
def block(software_id: str) -> BaseResponse:
    """Stop newcomers of approved software, or everyone at once; somebody has to choose."""
    row = software.get(software_id)
    form = Form()
    whom = form.choice("whom", "Whom to stop", ("newcomers", "everyone"))
    reason = form.reason()
    if form.faults:
        return unprocessable(row, form)
    if whom == "newcomers":
        return carry_out(
            software_id,
            lambda: decisions.close(software_id, reason, by=actor()),
            "It takes no newcomers any more. Who uses it already goes on.",
        )
    return carry_out(
        software_id,
        lambda: decisions.block(software_id, reason, by=actor()),
        "Blocked. Everything its clients held has ended.",
    )


@requires("approver")
def reopen(software_id: str) -> BaseResponse:
    """Let software take newcomers again."""
    return with_reason(
        software_id,
        lambda reason: decisions.reopen(software_id, reason, by=actor()),
        "It takes newcomers again.",
        gives=True,
    )


@requires("approver")
def unblock(software_id: str) -> BaseResponse:
    """Let blocked software work again."""
    return with_reason(
        software_id,
        lambda reason: decisions.unblock(software_id, reason, by=actor()),
        "Unblocked. Its clients can ask for tokens again; people have to consent again.",
        gives=True,
    )


def with_reason(
    software_id: str, verb: Callable[[str], Software], done: str, *, gives: bool = False
) -> BaseResponse:
    """Make a decision that needs a reason, and that may give back what was approved."""
    row = software.get(software_id)
    form = Form()
    reason = form.reason()
    if form.faults:
        return unprocessable(row, form)
    return give(software_id, row.scopes if gives else (), lambda: verb(reason), done)


def give(
    software_id: str, given: Iterable[str], verb: Callable[[], Software], done: str
) -> BaseResponse:
    """Make a decision; one that gives privileged scopes needs a fresh sign-in (C-12)."""
    if is_fresh() or not scopes.privileged(given):
        return carry_out(software_id, verb, done)
    page = url_for("registrations.show_registration", software_id=software_id)
    return sign_in_again(keep_unsent(page))


def carry_out(software_id: str, verb: Callable[[], Software], done: str) -> BaseResponse:
    """Make a decision and go back to the page; a lost race shows what changed."""
    try:
        row = verb()
    except errors.SecondPerson as refusal:
        form = Form()
        form.blame("scopes", refusal)
        return unprocessable(software.get(software_id), form, refusal.status)
    except errors.Conflict:
        db.session.rollback()
        return conflict(software.get(software_id))
    db.session.commit()
    flash(done if row.status != "pending" else FIRST, "success")
    return redirect(url_for("registrations.show_registration", software_id=software_id), 303)


def conflict(row: Software) -> Response:
    """Show the software as it is now, and in what it differs from what was decided about."""
    seen = word("revision")
    before = client_changes.as_seen(row, seen) if seen and seen != row.revision else None
    changed = None if before is None else differences(before, row.client_metadata)
    page = render(row, conflict=True, changed=changed)
    page.status_code = errors.Conflict.status
    return page


def unprocessable(row: Software, form: Form, status: int = 422) -> Response:
    """Show the form again with what is wrong."""
    page = render(row, form, typed=request.form.to_dict(flat=False))
    page.status_code = status
    return page


def resources_of(form: Form) -> list[str] | None:
    """Return the ceiling of resources, or None for every resource."""
    if form.choice("limit", "The resources", ("all", "chosen")) == "all":
        return None
    chosen = form.several("resources", [resource.uri for resource in resources.find_all()])
    if not chosen:
        form.faults["resources"] = "Choose at least one resource, or allow all of them."
    return list(chosen)


def until_of(form: Form) -> int | None:
    """Return the end of the chosen day in UTC, or None for an approval without end."""
    written = word("until").strip()
    if not written:
        return None
    try:
        day = date.fromisoformat(written) + timedelta(days=1)
        until = int(datetime.combine(day, time(), UTC).timestamp())
    except (ValueError, OverflowError):
        until = 0
    if until <= clock.epoch():
        form.faults["until"] = "The last day must be a date from today on."
    return until
