"""Sign-in of people, and the theme of the pages."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import browser_session, provider_uses
from app.config import current_settings
from app.domain import errors, password_sign_in
from app.extensions import db
from app.limits import spend
from app.protocol import caller, people, refusals, second_factor

bp = Blueprint("login", __name__)
THEMES = ("auto", "light", "dark")
THEME_SECONDS = 365 * 86400


@bp.get("/login")
def sign_in() -> str | Response:
    """Show the sign-in page."""
    after = people.local_path(request.args.get("next", "")) or ""
    user, again = people.signed_in(), "again" in request.args
    if user is not None and not again:
        return redirect(after or home(), 303)
    if browser_session.half_user() is not None and not again:
        return redirect(url_for("second_factor.ask", next=after or None), 303)
    error = browser_session.current().pop("error", None)
    if user is None:
        return show_form(after, error=error)
    return show_form(after, user.email, again=True, error=error)


@bp.post("/login")
def sign_in_with_password() -> Response:
    """Sign a person in with e-mail address and password.

    A failure within an authorization request goes back to that request, which shows it.
    """
    after = people.local_path(request.form.get("next", "")) or ""
    email = request.form.get("username", "")[:255]
    try:
        spend(current_settings().sign_in_rate_limit, "sign-in", caller.network())
        user = password_sign_in.authenticate(
            email,
            request.form.get("password", ""),
            caller.passwords(),
            by=caller.actor(),
        )
    except errors.TooManyRequests as refusal:
        refusals.record(refusal)
        return show_failure(refusal, email, after)
    except errors.AccessDenied as refusal:
        db.session.commit()
        return show_failure(refusal, email, after)

    return second_factor.enter(user, after)


@bp.post("/theme")
def choose_theme() -> Response:
    """Remember the theme of this browser; a preference and nothing else."""
    theme = request.form.get("theme", "auto")
    response = redirect(people.local_path(request.form.get("next", "")) or home(), 303)
    if theme in THEMES:
        response.set_cookie(
            "theme",
            theme,
            max_age=THEME_SECONDS,
            httponly=True,
            secure=current_settings().secure,
            samesite="Lax",
        )
    return response


def show_failure(refusal: errors.Refusal, email: str, after: str) -> Response:
    """Say why the sign-in failed, on the page where it was tried."""
    throttled = isinstance(refusal, errors.TooManyRequests)
    told = "throttled" if throttled else "error"
    browser = browser_session.current()
    if after.startswith(url_for("authorize.authorize") + "?"):
        browser[told], browser["typed"] = refusal.description, email
        return redirect(after, 303)
    words = {told: refusal.description}
    response = make_response(show_form(after, email, **words), 429 if throttled else 401)
    if isinstance(refusal, errors.TooManyRequests):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def show_form(after: str, username: str = "", *, again: bool = False, **words: str | None) -> str:
    """Show the sign-in form; ``again`` to somebody who has signed in long ago."""
    return render_template(
        "protocol/sign_in.html",
        action=url_for("login.sign_in"),
        next=after,
        username=username,
        error=words.get("error"),
        throttled=words.get("throttled"),
        again=again,
        flow=None,
        providers=provider_uses.offered(),
    )


def home() -> str:
    """Return where a person goes who did not come from anywhere."""
    return url_for("landing.show_landing")
