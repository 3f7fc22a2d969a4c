"""Adding an authenticator app: the picture to scan, the first code, and the recovery codes."""

from urllib.parse import urlsplit

import segno
from flask import Blueprint, redirect, request, url_for
from pyotp import TOTP
from werkzeug.wrappers import Response

from app import browser_session
from app.account.pages import actor_of, address, network
from app.browser_session import FRESH_SECONDS
from app.config import current_key, current_settings
from app.domain import authenticators, errors, passkeys, second_factors, users
from app.domain.second_factors import MULTIPLE, ONE_TIME
from app.domain.users import User
from app.extensions import db
from app.limits import spend
from app.views import page

bp = Blueprint("enrolment", __name__, url_prefix="/account/security/authenticator")
FINDING_SECONDS = 900
"""Who began right after a sign-in is given so long to find an app and type its code."""
PROPOSED = "proposed_authenticator"
"""What the browser session remembers of a secret that no code was typed of yet: it is sealed."""


def admit_adding() -> Response | None:
    """Let in who is signed in, or needs a second factor to be and has none; lately, in any case."""
    user, half = browser_session.known_user(), browser_session.half_user()
    if user is None or (half is not None and second_factors.has(half.id)):
        return redirect(url_for("own_factors.list_factors"), 303)
    return sign_in_again(user, "enrolment.show")


def sign_in_again(user: User, endpoint: str) -> Response | None:
    """Let who signed in long ago do so once more, and come back to a page."""
    begun = request.blueprint == bp.name and PROPOSED in browser_session.current()
    if browser_session.is_fresh(user, FINDING_SECONDS if begun else FRESH_SECONDS):
        return None
    return redirect(url_for("login.sign_in", next=url_for(endpoint), again="yes"), 303)


bp.before_request(admit_adding)


@bp.get("")
def show() -> Response:
    """Show the secret that waits for its first code, or where to begin."""
    if authenticators.find(enrolling().id) is not None:
        return redirect(url_for("own_factors.list_factors"), 303)
    return show_page()


@bp.post("")
def begin() -> Response:
    """Propose a secret; it counts for this session alone until a code of it is typed."""
    sealed = authenticators.propose(enrolling().id, current_key("second factors"))
    browser_session.current()[PROPOSED] = sealed.hex()
    return redirect(url_for("enrolment.show"), 303)


@bp.post("/confirm")
def confirm() -> Response:
    """Add the app by its first code; show the recovery codes, on this page and never again."""
    spend(current_settings().sign_in_rate_limit, "sign-in", network())
    user = enrolling()
    sealed = bytes.fromhex(browser_session.current().get(PROPOSED, ""))
    if not sealed:
        return redirect(url_for("enrolment.show"), 303)
    otp, key = request.form.get("otp", ""), current_key("second factors")
    try:
        codes = second_factors.enrol(user, sealed, otp, key, by=actor_of(user))
    except errors.InvalidRequest as refusal:
        return show_page({"otp": str(refusal.description)})

    return finish(user, codes, ONE_TIME)


def finish(user: User, codes: list[str], method: str) -> Response:
    """Sign in, in a new session, who has proved a new factor; show new recovery codes."""
    browser = browser_session.current()
    was_half, after = browser_session.half_user() is not None, browser.get("after")
    methods = tuple(dict.fromkeys((*browser.methods, method, MULTIPLE)))
    browser_session.begin(
        user,
        current_settings(),
        address(),
        methods,
        origin=browser.origin,
        auth_time=None if was_half else browser.auth_time,
    )
    if was_half:
        users.note_sign_in(user, methods, by=actor_of(user))
        browser_session.current()[browser_session.NEWLY] = True
    db.session.commit()
    return show_codes(codes, after) if codes else redirect(url_for("own_factors.list_factors"), 303)


def enrolling() -> User:
    """Return whose app is added."""
    user = browser_session.known_user()
    if user is None:
        message = "admit_adding() lets nobody in who is not known"
        raise AssertionError(message)
    return user


def show_page(faults: dict[str, str] | None = None) -> Response:
    """Show the secret that was proposed in this session, if any, with what is wrong."""
    user, sealed = enrolling(), browser_session.current().get(PROPOSED)
    key, secret = current_key("second factors"), ""
    if sealed:
        secret = authenticators.open_secret(user.id, bytes.fromhex(sealed), key)
    return page(
        "account/enrolment.html",
        status=422 if faults else 200,
        email=user.email,
        faults=faults or {},
        is_half=browser_session.half_user() is not None,
        longest_name=passkeys.LONGEST_NAME,
        secret=secret,
        picture=drawn(uri_of(user, secret)) if secret else None,
    )


def uri_of(user: User, secret: str) -> str:
    """Return what authenticator apps read from a picture."""
    host = urlsplit(current_settings().issuer).hostname
    return TOTP(secret).provisioning_uri(name=user.email, issuer_name=f"Gatewright {host}")


def drawn(text: str) -> tuple[int, str]:
    """Return a QR code as the length of its sides and the path of its dark squares."""
    rows = segno.make(text, error="m").matrix
    squares = (
        f"M{x} {y}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return len(rows), "".join(squares)


def show_codes(codes: list[str], after: str | None) -> Response:
    """Show recovery codes, and the way on."""
    onward = after or url_for("own_factors.list_factors")
    return page("account/recovery_codes.html", codes=codes, onward=onward)
