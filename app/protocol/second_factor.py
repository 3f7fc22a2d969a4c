"""The page between a password and being signed in, for who has a second factor or needs one."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import browser_session
from app.config import current_key, current_settings
from app.domain import errors, passkeys, second_factors, users
from app.domain.second_factors import MULTIPLE, ONE_TIME
from app.domain.users import User
from app.extensions import db
from app.limits import spend
from app.protocol import caller, people, refusals
from app.views import page

bp = Blueprint("second_factor", __name__, url_prefix="/second-factor")


def enter(user: User, after: str) -> BaseResponse:
    """Sign somebody in who proved the password, or ask for what is still to be proven."""
    is_half = second_factors.has(user.id)
    browser_session.begin(user, current_settings(), caller.address(), is_half=is_half)
    return go_on(user, after)


def go_on(user: User, after: str) -> BaseResponse:
    """Sign somebody in whose session has begun, or ask for what is still to be proven."""
    if browser_session.half_user() is None:
        return finish(user, after)
    browser_session.current()["after"] = after
    db.session.commit()
    return redirect(url_for("second_factor.ask", next=after or None), 303)


@bp.get("")
def ask() -> BaseResponse:
    """Ask for the second factor; who needs one and has none is led to where it is added."""
    after = people.local_path(request.args.get("next", "")) or ""
    user = browser_session.half_user()
    if user is None:
        return redirect(url_for("login.sign_in", next=after or None), 303)
    if not second_factors.has(user.id):
        return redirect(url_for("enrolment.show"), 303)
    return show(user, after)


@bp.post("")
def prove() -> BaseResponse:
    """Take a code of the app or a recovery code, and sign the person in, in a new session."""
    spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
    after = people.local_path(request.form.get("next", "")) or ""
    user, browser = browser_session.half_user(), browser_session.current()
    if user is None:
        return redirect(url_for("login.sign_in", next=after or None), 303)
    otp, key = request.form.get("otp", ""), current_key("second factors")
    try:
        second_factors.prove(user, otp, key, by=caller.actor())
    except errors.TooManyRequests as refusal:
        refusals.record(refusal)
        response = show(user, after, 429, throttled=str(refusal.description))
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    except errors.AccessDenied as refusal:
        db.session.commit()
        return show(user, after, 401, error=str(refusal.description))

    proven = (*browser.methods, ONE_TIME, MULTIPLE)
    browser_session.begin(user, current_settings(), caller.address(), proven, origin=browser.origin)
    return finish(user, after)


def finish(user: User, after: str) -> BaseResponse:
    """Record that somebody has signed in, and go on."""
    users.note_sign_in(user, browser_session.current().methods, by=caller.actor())
    browser_session.current()[browser_session.NEWLY] = True
    db.session.commit()
    return redirect(after or url_for("landing.show_landing"), 303)


def show(user: User, after: str, status: int = 200, **words: str) -> Response:
    """Show the form."""
    return page(
        "protocol/second_factor.html",
        status=status,
        action=url_for("second_factor.prove"),
        email=user.email,
        next=after,
        error=words.get("error"),
        throttled=words.get("throttled"),
        has_passkey=passkeys.holds(user.id),
    )
