"""The answer as a form (OAuth 2.0 Form Post Response Mode)."""

import pytest

from tests.conftest import ISSUER
from tests.protocol.machines import LOOPBACK, REDIRECT
from tests.protocol.persons import answer_of, find_form

POST = {"response_mode": "form_post"}


def posted(page, action=REDIRECT):
    """Return what a page sends to the client, by itself or by its button."""
    assert page.status_code == 200, page.status
    assert page.headers["Cache-Control"] == "no-store"
    assert "Location" not in page.headers
    assert "<button" in page.text
    sent = find_form(page, action)
    assert (sent.action, sent.method) == (action, "post")
    return sent.fields


def test_a_code_goes_to_the_client_in_a_form_that_needs_no_script(person, public):
    """N-033, N-035: with state and issuer; the policy names the one target and no inline script."""
    state = 'a "state" & <more>'
    page = person.decide(person.consent_page(public, **POST, state=state))
    fields = posted(page)
    policy = page.headers["Content-Security-Policy"]

    assert fields.keys() == {"code", "state", "iss"}
    assert (fields["state"], fields["iss"]) == (state, ISSUER)
    assert "form-action 'self' https://client.example;" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-inline" not in policy
    assert public.redeem(fields["code"]).status_code == 200
    assert posted(person.open(public.asking(**POST, prompt="none")))["code"]
    assert posted(person.open(public.pushed(**POST)))["code"]


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
    ids=str,
)
def test_an_error_goes_the_same_way(person, public, changes, error):
    """N-033"""
    fields = posted(person.open(public.asking(**POST | changes)))

    assert fields.keys() == {"error", "error_description", "state", "iss"}
    assert fields["error"] == error


def test_a_denial_goes_the_same_way(person, native):
    page = person.decide(person.consent_page(native, **POST), "deny")

    assert posted(page, LOOPBACK)["error"] == "access_denied"


def test_an_app_without_a_web_address_cannot_be_sent_a_form(person, register):
    """N-035: http and https only; the refusal comes in the query."""
    app = register(client_name="Private Use", redirect_uris=["com.example.app:/cb"])

    assert answer_of(person.open(app.asking(**POST)))["error"] == "invalid_request"
