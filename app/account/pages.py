"""Owns what the pages of people share: who is there, and how one page leads to another."""

from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import browser_session
from app.account import recent_changes
from app.config import current_settings
from app.domain import networks, users
from app.domain.audit import Actor
from app.domain.passwords import Passwords
from app.domain.users import User
from app.views import here

PAGE_SIZE = 25
LONGEST_KEY = 2200
"""No key is longer: that of an app holds its name and its identifier, which may be a URL."""


def account_blueprint(name: str, import_name: str) -> Blueprint:
    """Return a blueprint under ``/account`` that only people who are signed in reach."""
    bp = Blueprint(name, import_name, url_prefix="/account")
    bp.before_request(admit)
    return bp


def admit() -> Response | None:
    """Send who is not signed in to do so, and back again."""
    if browser_session.current_user() is not None:
        return None
    after = here() if request.method == "GET" else url_for("own_apps.list_apps")
    return redirect(url_for("login.sign_in", next=after), 303)


def person() -> User:
    """Return who is signed in."""
    user = browser_session.current_user()
    if user is None:
        message = "admit() lets nobody in who is not signed in"
        raise AssertionError(message)
    return user


def actor() -> Actor:
    """Return who is signed in as the actor."""
    return actor_of(person())


def actor_of(user: User) -> Actor:
    """Return somebody who proved to be this user as the actor."""
    kind = "operator" if users.may(user, "viewer") else "user"
    return Actor(kind, user.id, user.email, address(), g.get("request_id", ""))


def stranger() -> Actor:
    """Return somebody of whom nothing is known as the actor."""
    return Actor("anonymous", address=address(), request_id=g.get("request_id", ""))


def address() -> str:
    """Return the address of this browser, as far as trusted proxies vouch for it."""
    return (request.remote_addr or "")[:64]


def network() -> str:
    """Return what limits count this browser by."""
    return networks.network_of(address())


def passwords() -> Passwords:
    """Return what hashes and verifies people's passwords."""
    found: Passwords = current_app.extensions["gatewright.passwords"]
    return found


def render_page(page: str, **context: Any) -> str:
    """Return a page with the ways to the others."""
    ways = (
        ("Apps", "own_apps.list_apps"),
        ("Sessions", "own_sessions.list_sessions"),
        ("Profile", "own_profile.show_profile"),
        ("Password", "own_password.show_password"),
        ("Sign-in", "own_identities.list_identities"),
        ("Security", "own_factors.list_factors"),
        ("Activity", "own_activity.list_activity"),
        ("Connections", "own_connections.list_own"),
    )
    tabs = [(label, url_for(each), each == request.endpoint) for label, each in ways]
    changes, contact = recent_changes.take(person().id), current_settings().contact
    shared = {"tabs": tabs, "changes": changes, "contact": contact}
    return render_template(f"account/{page}", **shared, **context)


def asked(name: str) -> str:
    """Return a key in the address, without NUL."""
    return request.args.get(name, "").replace("\0", "")[:LONGEST_KEY]
