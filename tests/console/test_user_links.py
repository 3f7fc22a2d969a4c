"""One-time links with which somebody sets a password, as administrators make them (C-03)."""

import pytest

from app.domain import users
from tests.console.accounts import LIST, is_signed_in, signs_in
from tests.console.accounts import act as act
from tests.console.conftest import PASSWORD, csrf_of
from tests.console.markup import controls, texts

PAGE = "/account/new-password"


def link_in(page):
    """Return the token of the link that a page shows."""
    [button] = controls(page, "button", **{"data-copied": "Link to set a password copied"})
    issuer, _, token = button["data-copy"].partition("#token=")
    assert issuer == "https://gatewright.example/account/new-password"
    return token


def set_password(browser, token, password):
    """Use a link in a browser of nobody."""
    form = {"csrf_token": csrf_of(browser.get(PAGE).text)}
    answer = browser.post(PAGE, data=form | {"token": token, "password": password})
    assert answer.status_code == 200, texts(answer.text)


def test_a_link_is_shown_once_and_sets_a_new_password(act, client, member, happened, people):
    page = act("password-link").text

    assert "Shown only now and never again" in texts(page)
    token = link_in(page)
    assert signs_in(client, "member@example.org", PASSWORD)
    set_password(client, token, "another sentence of mine")
    assert not is_signed_in(member)
    assert signs_in(client, "member@example.org", "another sentence of mine")
    [event] = happened("user.password_link_made")
    assert (event.subject, event.actor_id) == (people["member"], people["admin"])


def test_a_disabled_account_gets_no_link(act):
    act("disable")

    assert act("password-link").status_code == 409


def test_a_new_account_has_a_link_in_place_of_a_password(admin, send, client, happened):
    page = send(admin, f"{LIST}new", email="New@Example.org", role="approver").text

    assert not signs_in(client, "new@example.org", PASSWORD)
    set_password(client, link_in(page), "a sentence of my own")
    assert signs_in(client, "new@example.org", "a sentence of my own")
    event = happened("user.created")[0]
    assert event.detail == {"email": "new@example.org", "role": "approver"}


@pytest.mark.parametrize(
    "typed, words",
    [
        ({"email": "", "role": "member"}, "The e-mail address is missing."),
        ({"email": "nobody", "role": "member"}, "This is not an e-mail address."),
        ({"email": "Member@example.org", "role": "member"}, "There is an account"),
        ({"email": "new@example.org", "role": "root"}, "one of the choices offered"),
    ],
)
def test_a_bad_account_is_refused_at_its_field(admin, send, happened, typed, words):
    answer = send(admin, f"{LIST}new", **typed)

    assert answer.status_code == 422
    assert words in texts(answer.text)
    assert len(happened("user.created")) == len(users.ROLES)
