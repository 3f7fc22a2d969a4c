"""When an earlier answer is enough (security.md N-045, X-61)."""

import pytest

from app.domain import admissions, client_metadata, consents
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import LOOPBACK, REDIRECT, SCOPES, known
from tests.protocol.persons import answer_of


def is_question(response):
    """Tell whether the person is asked."""
    return 'name="decision" value="allow"' in response.text


@pytest.fixture
def by_hand(app, client):
    """Return a function that creates a client as operators do."""

    def create(method, redirect_uri):
        body = {"redirect_uris": [redirect_uri], "token_endpoint_auth_method": method}
        metadata = client_metadata.parse({"client_name": "By hand"} | body)
        with app.app_context():
            made, issued = admissions.create(metadata, by=SERVER, allowed=SCOPES.split())
            db.session.commit()
            return known(client, made, issued)

    return create


def test_a_consent_counts_in_its_browser_session_only(person, public):
    """N-045, X-61: software that registered itself never passes silently in a new session."""
    person.allow(public)
    assert answer_of(person.open(public.asking()))["code"]
    assert answer_of(person.open(public.asking(scope="mcp:read", prompt="none")))["code"]

    assert is_question(person.elsewhere().consent_page(public))
    again = person.sign_in(person.open(public.asking(prompt="login")))
    assert is_question(person.open(again.location))


PRIVATE = "com.example.app:/cb"
# How the client proves itself, its redirect URI, whether a new session asks.
BY_HAND = [
    ("client_secret_basic", REDIRECT, False),
    ("client_secret_basic", LOOPBACK, False),
    ("none", REDIRECT, False),
    ("none", LOOPBACK, True),
    ("none", PRIVATE, True),
]


@pytest.mark.parametrize("method, redirect_uri, asks", BY_HAND)
def test_only_a_client_by_hand_that_nobody_else_can_be_passes_silently_in_a_new_session(
    person, by_hand, method, redirect_uri, asks
):
    """N-045, RFC 8252 section 8.6: by its secret, or by an address that is only its own."""
    machine = by_hand(method, redirect_uri)
    person.allow(machine)
    assert answer_of(person.open(machine.asking()))["code"]

    elsewhere = person.elsewhere()
    assert is_question(elsewhere.consent_page(machine)) is asks
    silent = answer_of(elsewhere.open(machine.asking(prompt="none")))
    assert silent.get("error") == ("consent_required" if asks else None)


ASKED_AGAIN = [
    {"prompt": "consent"},
    {"scope": f"{SCOPES} openid"},
    {"resource": None},
    {"redirect_uri": "http://127.0.0.1:1/cb"},
]


@pytest.mark.parametrize("change", ASKED_AGAIN, ids=str)
def test_what_the_consent_does_not_cover_is_asked(person, native, change):
    """N-036, N-037"""
    person.allow(native)

    assert is_question(person.open(native.asking(**change)))
    if "prompt" not in change:
        silent = answer_of(person.open(native.asking(prompt="none", **change)))
        assert silent["error"] == "consent_required"


def test_a_withdrawn_consent_is_asked_again(app, person, public):
    person.allow(public)
    with app.app_context():
        consents.revoke(user_id=person.user_id, client_id=public.client_id, by=SERVER)
        db.session.commit()

    assert is_question(person.open(public.asking()))
