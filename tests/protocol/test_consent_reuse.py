"""When an earlier answer is enough (security.md N-045, X-61)."""

import pytest

from app.domain import consents
from app.domain.audit import SERVER
from app.extensions import db
from tests.protocol.machines import SCOPES
from tests.protocol.persons import answer_of


def is_question(response):
    """Tell whether the person is asked."""
    return 'name="decision" value="allow"' in response.text


def test_a_consent_counts_in_its_browser_session_only(person, public):
    """N-045, X-61: software that registered itself never passes silently in a new session."""
    person.allow(public)
    assert answer_of(person.open(public.asking()))["code"]
    assert answer_of(person.open(public.asking(scope="mcp:read", prompt="none")))["code"]

    assert is_question(person.elsewhere().consent_page(public))
    again = person.sign_in(person.open(public.asking(prompt="login")))
    assert is_question(person.open(again.location))


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
