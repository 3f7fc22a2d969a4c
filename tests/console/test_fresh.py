"""What makes or moves secrets needs a sign-in of the last minutes (C-12, X-50)."""

import pytest

from tests.console.conftest import PASSWORD
from tests.console.markup import texts

HOOKS, ISSUERS = "/admin/webhooks/new", "/admin/statement-issuers/new"
ADDRESSES = [
    ("GET", HOOKS, HOOKS),
    ("POST", HOOKS, HOOKS),
    ("POST", "/admin/webhooks/none/rotate-secret", "/admin/webhooks/none"),
    ("GET", ISSUERS, ISSUERS),
    ("POST", ISSUERS, ISSUERS),
    ("POST", "/admin/system/rotate-key", "/admin/system/"),
    ("POST", "/admin/system/replace-keys", "/admin/system/"),
    ("GET", "/admin/clients/rotate-secret/none", "/admin/clients/rotate-secret/none"),
    ("POST", "/admin/clients/rotate-secret/none", "/admin/clients/rotate-secret/none"),
]


@pytest.mark.parametrize("method, path, back", ADDRESSES)
def test_who_signed_in_long_ago_signs_in_again_and_comes_back(
    admin, csrf, clock, happened, method, path, back
):
    form = {"csrf_token": csrf(admin), "url": "https://hook.example/"}
    clock.advance(301)

    answer = admin.open(path, method=method, data=form)

    assert answer.status_code == 303
    assert answer.location.startswith("/login?")
    assert f"next={back}" in answer.location
    page = admin.get(answer.location).text
    assert "needs a sign-in of the last five minutes" in texts(page)
    assert f'name="next" value="{back}"' in page
    assert happened("webhook.created") == happened("key.created") == []


def test_a_fresh_sign_in_opens_the_page(admin, csrf, clock):
    clock.advance(301)
    again = admin.get(HOOKS).location
    form = {"csrf_token": csrf(admin), "next": HOOKS, "username": "admin@example.org"}
    assert "Sign in" in texts(admin.get(again).text)

    answer = admin.post("/login", data=form | {"password": PASSWORD})

    assert answer.location == HOOKS
    assert admin.get(HOOKS).status_code == 200


def test_a_lower_role_is_turned_away_first(viewer, clock):
    clock.advance(301)

    assert viewer.get(HOOKS).status_code == 403
