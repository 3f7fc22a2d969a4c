"""Whoever signs in is told what changed lately in how they do (C-08)."""

import pytest

from app.account.recent_changes import LATELY_SECONDS
from app.domain import second_factors, users
from app.domain.audit import Actor
from app.extensions import db
from tests.console.markup import texts
from tests.protocol.phones import add_app, prove
from tests.protocol.providers import Provider, logout_token
from tests.protocol.test_account_security import LIST

HOME, TITLE = "/account/", "Changed in the last seven days"
GRACE = Actor("operator", "u-grace", "grace@people.example", "192.0.2.99", "request-1")


def told(person):
    """Return what a page of the account says beside what it is about; empty when nothing."""
    _, _, said = texts(person.open(HOME).text).partition(TITLE)
    return said.partition("Was one of these not you?")[0]


def test_each_browser_is_told_once_after_signing_in_what_another_changed(person, clock):
    """Whoever changes something, and reads the notice, keeps nobody else from reading it."""
    person.sign_in()
    assert told(person) == ""
    phone = add_app(person)
    assert told(person) == ""

    for browser in (person.elsewhere(), person.elsewhere()):
        clock.advance(30)
        browser.sign_in()
        prove(browser, phone.code())

        said = told(browser)
        assert "An authenticator app was added" in said
        assert "New recovery codes were made" in said
        assert "from 127.0.0.1" in said
        assert told(browser) == ""


def test_what_operators_did_is_told_without_where_they_were(app, person, clock):
    person.sign_in()
    add_app(person)
    with app.app_context():
        second_factors.reset(users.get(person.user_id), by=GRACE)
        db.session.commit()
    person.sign_in()

    page = person.open(HOME).text

    assert "Your second factors were reset" in texts(page)
    assert "by the operators of this server" in texts(page)
    assert GRACE.address not in page
    assert GRACE.name not in page


@pytest.mark.parametrize("overrides", [{"second_factor_roles": ("member",)}], ids=["needed"])
def test_who_signs_in_by_adding_a_factor_is_told_too(app, person):
    person.sign_in()
    add_app(person)
    with app.app_context():
        second_factors.reset(users.get(person.user_id), by=GRACE)
        db.session.commit()
    person.sign_in()
    add_app(person)

    assert "Your second factors were reset" in told(person)


def test_a_change_of_long_ago_is_told_no_more(app, person, clock):
    person.sign_in()
    add_app(person)
    person.submit(person.open(LIST), f"{LIST}/remove")
    for seconds, is_told in ((LATELY_SECONDS, True), (1, False)):
        clock.advance(seconds)
        person.sign_in(person.open("/login?again=1"))

        assert ("An authenticator app was removed" in told(person)) is is_told


def test_an_operator_is_told_nothing_of_what_they_did_to_others(app, person, approver):
    """Neither here nor among their activity, as if it had happened to them."""
    person.sign_in()
    add_app(person)
    with app.app_context():
        who = Actor("operator", approver.user_id, approver.email)
        second_factors.reset(users.get(person.user_id), by=who)
        users.disable(users.get(person.user_id), by=who)
        db.session.commit()
    approver.sign_in()

    assert told(approver) == ""
    activity = texts(approver.open("/account/activity").text)
    assert "disabled" not in activity
    assert "reset" not in activity


def test_what_a_provider_did_is_not_told_as_the_work_of_operators(app, person):
    provider = Provider(app).attach(links_by_email=True)
    browser = provider.come(email=person.email, email_verified=True)
    page = told(browser)
    provider.log_out(logout_token(sub="pia-there"))
    person.sign_in()

    assert "A sign-in at another server was linked to your account" in page
    assert "by the identity provider acme" in page
    assert "operators" not in page
    activity = texts(person.open("/account/activity").text)
    assert "were signed out. (by the identity provider acme)" in activity
