"""The page behind a one-time link: it sets a password once, within the hour (C-03)."""

from collections.abc import Callable

import pytest

from app.domain import new_passwords, users
from app.domain.audit import SERVER
from app.domain.new_passwords import PasswordLink
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.machines import assert_refused
from tests.protocol.test_account_sessions import is_signed_in

PAGE = "/account/new-password"
NEW = "a sentence nobody else says"


@pytest.fixture
def link(app, person) -> Callable[[], str]:
    """Return a function that makes a link for the person; gives its token."""

    def make():
        with app.app_context():
            token = new_passwords.issue(users.find(person.user_id), by=SERVER)
            db.session.commit()
            return token

    return make


def use(person, token, password=NEW):
    """Open the page in a browser of nobody and send the form."""
    browser = person.elsewhere()
    return browser.submit(browser.open(PAGE), PAGE, token=token, password=password)


def test_a_link_sets_the_password_and_the_old_one_works_no_more(person, link, audited):
    token = link()

    answer = use(person, token)

    assert answer.status_code == 200
    assert "You can sign in as ada@people.example now." in texts(answer.text)
    assert person.elsewhere().sign_in().status_code == 401
    assert person.elsewhere().sign_in(password=NEW).status_code == 303
    (event,) = audited("user.password_changed")
    assert (event.actor_kind, event.actor_id) == ("user", person.user_id)


def test_the_way_on_asks_nobody_to_sign_in_once_more(person, link):
    [onward] = controls(use(person, link()).text, "a", **{"class": "button primary"})

    assert "once more" not in texts(person.elsewhere().open(onward["href"]).text)


def test_sessions_and_grants_end_with_it(person, public, link):
    """N-096, C-11"""
    tokens, code = person.tokens(public), person.code(public)

    use(person, link())

    assert not is_signed_in(person)
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(public.redeem(code), "invalid_grant")


def test_a_used_link_is_worth_nothing(person, link):
    token = link()
    use(person, token)

    assert use(person, token, "another sentence of mine").status_code == 403
    assert person.elsewhere().sign_in(password=NEW).status_code == 303


def test_a_new_link_ends_the_one_before(person, link):
    old, new = link(), link()

    assert use(person, old).status_code == 403
    assert use(person, new).status_code == 200


@pytest.mark.parametrize("seconds, status", [(3599, 200), (3600, 403)])
def test_a_link_is_good_for_an_hour(clock, person, link, seconds, status):
    token = link()
    clock.advance(seconds)

    assert use(person, token).status_code == status


@pytest.mark.parametrize("password", ["short", "passwordpassword", "ada@people.example"])
def test_a_refused_password_does_not_use_the_link_up(person, link, password):
    token = link()

    refused = use(person, token, password)

    assert refused.status_code == 422
    [kept] = controls(refused.text, "input", name="token")
    assert kept["value"] == token
    assert use(person, token).status_code == 200


@pytest.mark.parametrize("token", ["", "wrong", "\0", "a" * 5000, "é"])
def test_a_wrong_token_sets_nothing(person, token):
    answer = use(person, token)

    assert answer.status_code == 403
    assert new_passwords.DEAD in texts(answer.text)
    assert person.elsewhere().sign_in().status_code == 303


def test_the_link_of_a_disabled_account_sets_nothing(app, person, link):
    token = link()
    with app.app_context():
        users.disable(users.find(person.user_id), by=SERVER)
        db.session.commit()

    assert use(person, token).status_code == 403


def test_only_a_digest_is_kept(app, link, audited):
    """C-60"""
    token = link()

    with app.app_context():
        [row] = db.session.execute(db.select(*PasswordLink.__table__.c)).all()
    assert token not in repr(row)
    (event,) = audited("user.password_link_made")
    assert token not in str(event.detail)
