"""Accounts as administrators act on them; test files import these fixtures."""

import pytest

from app import create_app
from app.extensions import db
from tests.console.conftest import csrf_of

LIST = "/admin/users/"
HOST, COOKIE = "gatewright.example", "__Host-gatewright"


@pytest.fixture
def act(admin, send, people):
    """Return a function with which the administrator does something to the account of a role."""
    return lambda what, whose="member", /, **form: send(
        admin, f"{LIST}{people[whose]}/{what}", **form
    )


@pytest.fixture
def elsewhere(app, settings, client):
    """Return a function that takes a browser to another instance over the same database."""
    other = create_app(settings)
    other.test_client_class = type(client)

    def at(browser):
        there = other.test_client()
        there.set_cookie(COOKIE, browser.get_cookie(COOKIE, HOST).value, domain=HOST)
        return there

    yield at
    with other.app_context():
        db.engine.dispose()


def is_signed_in(browser):
    return browser.get("/account/").status_code == 200


def signs_in(browser, email, password):
    """Tell whether somebody can sign in."""
    form = {"csrf_token": csrf_of(browser.get("/login").text), "username": email}
    return browser.post("/login", data=form | {"password": password}).status_code == 303
