"""Owns the page of software that waits for approval; it ends within a bounded time."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import browser_session, clock, security, views
from app.config import current_settings
from app.domain import (
    credentials,
    decisions,
    errors,
    four_eyes,
    redirect_uris,
    scopes,
    software,
    users,
)
from app.domain.client_records import Standing
from app.domain.users import User
from app.extensions import db
from app.protocol import asking, authorization_request, caller, people
from app.protocol.authorization_request import LocalRefusal, Origin, RedirectedRefusal
from app.protocol.parameters import Parameters

bp = Blueprint("waiting", __name__, url_prefix="/waiting")
REMEMBERED = 5
"""How many waiting requests one browser is remembered by."""


def show(origin: Origin, asked: Parameters) -> BaseResponse | str:
    """Show the waiting page, or end the wait when its time is over.

    A loopback redirect is told by itself, because a program listens there; any other host only
    when the person clicks, because nobody vouches for it yet.
    """
    url = f"{url_for('authorize.authorize')}?{authorization_request.canonical(asked)}"
    left = seconds_left(url)
    loopback = redirect_uris.is_loopback(origin.redirect_uri)
    if left <= 0 and loopback:
        if "HX-Request" in request.headers:
            return refresh()
        browser_session.current().pop("waiting", None)
        raise still_waiting(origin)
    security.allow_form_target(origin.redirect_uri)
    page = "_waiting_status" if "HX-Request" in request.headers else "waiting"
    return render_template(
        f"protocol/{page}.html",
        client=people.describe(origin.client, origin.redirect_uri),
        waiting_since=views.instant(clock.epoch() - current_settings().waiting_seconds + left),
        contact=current_settings().contact,
        poll_url=url,
        time_left=f"{left} seconds" if left > 0 else None,
        ends_by_itself=loopback,
        may_leave=left <= 0,
        leave_action=f"{url_for('waiting.leave')}?{request.query_string.decode()}",
        leave_fields={},
        sign_in_url=None if people.signed_in() else url_for("login.sign_in", next=url),
        **for_signed_in(origin, url),
    )


def seconds_left(url: str) -> int:
    """Return how long this browser still waits with this request."""
    browser = browser_session.current()
    started: dict[str, int] = dict(browser.get("waiting", {}))
    mark = credentials.thumbprint(url)
    if mark not in started:
        started = dict(list(started.items())[-REMEMBERED + 1 :]) | {mark: clock.epoch()}
        browser["waiting"] = started
    return started[mark] + current_settings().waiting_seconds - clock.epoch()


def for_signed_in(origin: Origin, url: str) -> dict[str, object]:
    """Return what a signed-in person may do about the wait."""
    user = people.signed_in()
    if user is None:
        return {"justify": None, "decide": None}
    row = software.get(origin.client.software_id)
    fields = {"software_id": row.id, "next": url}
    justify = {
        "action": url_for("waiting.justify"),
        "fields": fields,
        "text": row.justification or "",
        "saved": bool(row.justification),
    }
    if not users.may(user, "approver"):
        return {"justify": justify, "decide": None}
    mine, note = four_eyes.seen_by(row, user.id)
    decide = {
        "note": note,
        "approve_action": None if mine else url_for("waiting.approve"),
        "reject_action": url_for("waiting.reject"),
        "review_url": url_for("registrations.show_registration", software_id=row.id),
        "fields": fields | {"revision": row.revision},
    }
    return {"justify": justify, "decide": decide}


@bp.post("/leave")
def leave() -> BaseResponse:
    """Go back to the app without access, because the person said so."""
    asked = asking.read()
    origin = authorization_request.prove_origin(asked)
    if origin.standing is not Standing.PENDING:
        return redirect(f"{url_for('authorize.authorize')}?{request.query_string.decode()}", 303)
    raise still_waiting(origin)


@bp.post("/justify")
def justify() -> BaseResponse:
    """Keep what a signed-in person says about why the software is needed."""
    user = people.signed_in()
    text = request.form.get("justification", "").replace("\0", "").strip()
    if user is not None and text:
        software_id = request.form.get("software_id", "")
        decisions.justify(software_id, text, by=people.user_actor(user))
        db.session.commit()
    return back()


@bp.post("/approve")
def approve() -> BaseResponse:
    """Approve the software in place with what an approval offers, or the first of two gave.

    Privileged scopes need a fresh sign-in (C-12).
    """
    user = required_approver()
    row = software.get(request.form.get("software_id", ""))
    given = four_eyes.proposal(row)
    if scopes.privileged(given["allowed"]) and not browser_session.is_fresh(user):
        return redirect(url_for("login.sign_in", next=back().location, again="yes"), 303)
    seen = request.form.get("revision", "")
    decisions.approve(row.id, seen, by=people.user_actor(user), **given)
    db.session.commit()
    return back()


@bp.post("/reject")
def reject() -> BaseResponse:
    """Reject the software in place."""
    user = required_approver()
    decisions.reject(
        request.form.get("software_id", ""),
        request.form.get("revision", ""),
        "rejected from the waiting page",
        by=people.user_actor(user),
    )
    db.session.commit()
    return back()


def required_approver() -> User:
    """Return the signed-in approver; raises LocalRefusal for anybody else."""
    user = people.signed_in()
    if user is None or not users.may(user, "approver"):
        raise LocalRefusal(errors.AccessDenied("Only an approver may decide; sign in as one."))
    return user


def back() -> BaseResponse:
    """Go back to the request that waits."""
    home = url_for("landing.show_landing")
    return redirect(people.local_path(request.form.get("next", "")) or home, 303)


def refresh() -> Response:
    """Let the browser ask again as a page."""
    return Response(status=200, headers={"HX-Refresh": "true"}, mimetype="text/html")


def still_waiting(origin: Origin) -> RedirectedRefusal:
    """Return the refusal that ends a wait; real clients keep their registration after it."""
    refusal = errors.AccessDenied(caller.waiting_sentence())
    return RedirectedRefusal(refusal, origin)
