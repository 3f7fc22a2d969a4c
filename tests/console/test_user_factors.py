"""Administrators reset the second factors of others, and act with their own (C-08, C-12)."""

import time

import pytest
from pyotp import TOTP

from app.browser_session import FRESH_SECONDS
from app.domain import authenticators, recovery_codes, second_factors, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.accounts import LIST, is_signed_in
from tests.console.accounts import act as act
from tests.console.conftest import PASSWORD, csrf_of
from tests.console.markup import texts


@pytest.fixture
def give(app, people):
    """Return a function that gives the account of a role an app; it returns the codes of now."""

    def add(role):
        key = app.extensions["gatewright.keys"]["second factors"]
        with app.app_context():
            user = users.get(people[role])
            sealed = authenticators.propose(user.id, key)
            secret = authenticators.open_secret(user.id, sealed, key)
            second_factors.enrol(user, sealed, TOTP(secret).at(time.time()), key, by=SERVER)
            db.session.commit()
        return lambda: TOTP(secret).at(time.time())

    return add


def type_password(browser, role, after=""):
    """Fill in the sign-in form; return where it leads."""
    form = {"csrf_token": csrf_of(browser.get("/login?again=yes").text), "next": after}
    named = {"username": f"{role}@example.org", "password": PASSWORD}
    return browser.post("/login", data=form | named).location


def test_a_reset_factor_is_gone_and_the_password_signs_in(app, give, act, client, people, happened):
    give("member")
    assert type_password(client, "member") == "/second-factor"

    assert act("reset-factor").status_code == 303

    assert client.get("/second-factor").location == "/login"
    assert type_password(client, "member") == "/"
    assert is_signed_in(client)
    with app.app_context():
        assert recovery_codes.number_left(people["member"]) == 0
    [event] = happened("user.factors_reset")
    assert (event.subject, event.actor_id) == (people["member"], people["admin"])


def test_sessions_end_with_a_reset(give, act, sign_in, clock):
    code = give("member")
    clock.advance(30)
    browser = sign_in("member")
    page = browser.get("/second-factor").text
    browser.post("/second-factor", data={"csrf_token": csrf_of(page), "otp": code()})
    assert is_signed_in(browser)

    act("reset-factor")

    assert not is_signed_in(browser)


@pytest.mark.parametrize("whose", ["member", "admin"])
def test_there_is_nothing_to_reset_without_a_factor_or_of_oneself(act, happened, whose):
    assert act("reset-factor", whose).status_code == 409
    assert happened("user.factors_reset") == []


def test_the_page_says_whether_there_is_a_factor(give, admin, people):
    page = admin.get(f"{LIST}{people['member']}").text
    assert "Reset second factor" not in texts(page)

    give("member")

    page = admin.get(f"{LIST}{people['member']}").text
    assert "Reset second factor" in texts(page)


def test_a_reset_needs_a_fresh_sign_in(give, act, clock, happened):
    give("member")
    clock.advance(FRESH_SECONDS + 1)

    assert "again=yes" in act("reset-factor").location
    assert happened("user.factors_reset") == []


def test_a_fresh_sign_in_of_who_has_a_factor_needs_it_too(give, sign_in, clock):
    """C-12: the console stays closed between the password and the code."""
    code = give("admin")
    clock.advance(30)
    browser, hooks = sign_in("admin"), "/admin/webhooks/new"
    assert browser.get(hooks).status_code == 303
    page = browser.get("/second-factor").text
    browser.post("/second-factor", data={"csrf_token": csrf_of(page), "otp": code()})
    assert browser.get(hooks).status_code == 200
    clock.advance(FRESH_SECONDS + 1)
    assert "again=yes" in browser.get(hooks).location

    half = type_password(browser, "admin", hooks)
    assert half == f"/second-factor?next={hooks}"
    assert browser.get(hooks).status_code == 303
    page = browser.get(half).text
    form = {"csrf_token": csrf_of(page), "otp": code(), "next": hooks}
    assert browser.post("/second-factor", data=form).location == hooks

    assert browser.get(hooks).status_code == 200
