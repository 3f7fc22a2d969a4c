"""Owns the cookie of browsers: a sealed note before sign-in, a row of the database after it."""

from typing import Any

from flask import Flask, Request, Response, g, request, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app import clock
from app.config import Settings, current_settings
from app.domain import second_factors, sessions, users
from app.domain.foreign_logout_tokens import Origin
from app.domain.users import User
from app.extensions import LOST, db
from app.mount import MACHINE_PATHS

ANONYMOUS_SECONDS = 3600
FRESH_SECONDS = 300
"""Who does what matters most has signed in so lately (C-12)."""
HALF_SECONDS = 300
"""So long after the password somebody may take for the second factor."""
WITHOUT = (*MACHINE_PATHS, "/static/")
"""Paths where nobody asks which browser it is."""
NEWLY = "newly"
"""What a session holds from a sign-in to the first page of the account."""
UNSENT = "unsent"
"""What a session holds of a form whose sender had to sign in again; it is theirs alone."""
HINT = "id_token_hint"
"""What a session holds of the provider it began at: the sealed ID token, to sign out there."""
OPENED = "opened"
"""What stays in a browser that somebody signs in to or out of: which pushed requests it opened."""


class BrowserSession(dict[str, Any], SessionMixin):
    """What one browser is remembered by; ``row`` is there once somebody signed in."""

    def __init__(self, values: dict[str, Any], row: sessions.Session | None = None) -> None:
        """Start from stored values."""
        super().__init__(values)
        self.before = dict(values)
        self.fresh_cookie: str | None = None
        self.loss: Exception | None = None
        """Why the database does not answer; the session is then left as it is."""
        self.session_id = row.id if row is not None else None
        self.user_id = row.user_id if row is not None else None
        self.auth_time = row.auth_time if row is not None else 0
        self.last_seen_at = row.last_seen_at if row is not None else 0
        self.methods = tuple(row.methods.split()) if row is not None else ()
        self.is_half = row is not None and row.is_half
        self.origin = row.origin if row is not None else None

    @property
    def changed(self) -> bool:
        """Tell whether the values differ from the stored ones."""
        return dict(self) != self.before


class DatabaseSessions(SessionInterface):
    """Keeps signed-in sessions in the database, so that they end everywhere at once."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Return the session of the cookie, or an empty one.

        No handler of errors is at work yet, so a loss of the database is kept for later.
        """
        settings: Settings = app.extensions["gatewright.settings"]
        value = request.cookies.get(cookie_name(settings), "")
        if not value or request.path.startswith(WITHOUT):
            return BrowserSession({})
        if value.startswith("s_"):
            return find(value, settings.session_idle_seconds)
        try:
            return BrowserSession(serializer(app).loads(value, max_age=ANONYMOUS_SECONDS))
        except BadSignature:
            return BrowserSession({})

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed; a session that nobody signed in to lives in its cookie."""
        if not isinstance(session, BrowserSession) or session.loss is not None:
            return
        settings: Settings = app.extensions["gatewright.settings"]
        response.vary.add("Cookie") if session else None
        if session.session_id is not None:
            write_row(session)
            if session.fresh_cookie is not None:
                set_cookie(settings, response, session.fresh_cookie)
        elif session.changed:
            set_cookie(settings, response, serializer(app).dumps(dict(session)))


def find(value: str, idle_seconds: int) -> BrowserSession:
    """Return the session of somebody who signed in, an empty one if it ended or cannot be read."""
    try:
        row = sessions.find(value, idle_seconds)
    except LOST as loss:
        browser = BrowserSession({})
        browser.loss = loss
        return browser
    return BrowserSession(dict(row.data) if row is not None else {}, row)


def write_row(session: BrowserSession) -> None:
    """Store changed values and, once a minute, that the session is in use."""
    if session.session_id is None:
        return
    if session.changed:
        sessions.write(session.session_id, dict(session))
        db.session.commit()
    elif unattended():
        return
    elif clock.epoch() - session.last_seen_at >= sessions.TOUCH_SECONDS:
        sessions.touch(session.session_id)
        db.session.commit()


def unattended() -> bool:
    """Tell whether a page asked by itself: an open tab must not keep a session from idling out."""
    return bool(g.get("unattended"))


def set_cookie(settings: Settings, response: Response, value: str) -> None:
    """Set the cookie of this server."""
    response.set_cookie(
        cookie_name(settings), value, httponly=True, secure=settings.secure, samesite="Lax"
    )


def cookie_name(settings: Settings) -> str:
    """Return a name that binds the cookie to this host where browsers support it."""
    return "__Host-gatewright" if settings.secure else "gatewright"


def serializer(app: Flask) -> URLSafeTimedSerializer:
    """Return what signs the cookies of anonymous sessions."""
    return URLSafeTimedSerializer(str(app.config["SECRET_KEY"]), salt="anonymous session")


def begin(
    user: User,
    settings: Settings,
    address: str,
    methods: tuple[str, ...] = (sessions.PASSWORD,),
    *,
    is_half: bool = False,
    origin: Origin | None = None,
    auth_time: int | None = None,
) -> None:
    """Sign a user in: a new session with a new cookie; the old one leaves nothing about people.

    A half session is of somebody who has yet to prove the second factor of the account. ``origin``
    is the sign-in at a provider with which it begins, or with which the old one began. Who has not
    signed in anew keeps the ``auth_time`` of the old one.
    """
    browser = current()
    kept = kept_by(browser, user, origin)
    row, value = sessions.issue(
        user.id,
        lifetime_seconds=HALF_SECONDS if is_half else settings.session_absolute_seconds,
        address=address,
        user_agent=request.headers.get("User-Agent", ""),
        methods=methods,
        is_half=is_half,
        origin=origin,
        auth_time=auth_time,
    )
    if browser.session_id is not None:
        sessions.replace(browser.session_id, row)
    clear(browser)
    browser.update(kept)
    browser.session_id, browser.user_id = row.id, user.id
    browser.auth_time, browser.last_seen_at = row.auth_time, row.last_seen_at
    browser.methods, browser.is_half, browser.origin = methods, is_half, origin
    browser.fresh_cookie, browser.before = value, {}
    g.current_user = user


def kept_by(browser: BrowserSession, user: User, origin: Origin | None) -> dict[str, Any]:
    """Return what goes on in a new session: of the same person, and of the same origin."""
    goes_on = {UNSENT: browser.user_id == user.id, HINT: origin and origin == browser.origin}
    return {name: browser[name] for name, kept in goes_on.items() if kept and name in browser}


def end() -> None:
    """Sign the user of this browser out."""
    browser = current()
    if browser.session_id is not None:
        sessions.end(browser.session_id)
    clear(browser)
    browser.session_id = browser.user_id = browser.origin = None
    browser.before = {"signed out": True}
    g.current_user = None


def clear(browser: BrowserSession) -> None:
    """Forget what a browser is remembered by, except which pushed requests it opened."""
    kept = {OPENED: browser[OPENED]} if OPENED in browser else {}
    browser.clear()
    browser.update(kept)


def current() -> BrowserSession:
    """Return the session of this request."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # a proxy of werkzeug
    if not isinstance(found, BrowserSession):
        message = "the application uses DatabaseSessions"
        raise TypeError(message)
    return found


def current_user() -> User | None:
    """Return who is signed in, is not disabled and owes no second factor, or None."""
    user = known_user()
    return None if user is None or owes_factor(user) else user


def half_user() -> User | None:
    """Return who has signed in except for a second factor, to whom nothing else is open."""
    user = known_user()
    return user if user is not None and owes_factor(user) else None


def owes_factor(user: User) -> bool:
    """Tell whether the user of this browser has yet to prove a second factor, or to enrol one."""
    browser = current()
    demanded = user.role in current_settings().second_factor_roles
    return browser.is_half or (demanded and second_factors.MULTIPLE not in browser.methods)


def known_user() -> User | None:
    """Return whose session this is unless the account is disabled."""
    if "current_user" not in g:
        user_id = current().user_id
        user = users.find(user_id) if user_id is not None else None
        g.current_user = user if user is not None and user.disabled_at is None else None
    user = g.current_user
    return user if isinstance(user, User) else None


def is_fresh(user: User, seconds: int = FRESH_SECONDS) -> bool:
    """Tell whether the user of this browser signed in lately, by all factors the account has."""
    browser = current()
    complete = second_factors.MULTIPLE in browser.methods or not second_factors.has(user.id)
    return complete and clock.epoch() - browser.auth_time <= seconds
