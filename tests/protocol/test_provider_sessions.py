"""Which sessions are those of an identity provider: begun there, carried on here, left behind."""

import pytest
from sqlalchemy import select

from app.domain import sessions
from app.domain.audit import SERVER
from app.domain.grants import Grant
from app.domain.jobs import Job
from app.domain.sessions import Session
from app.extensions import db
from tests.protocol.persons import PASSWORD
from tests.protocol.phones import FACTOR, add_app, is_signed_in_wholly, prove
from tests.protocol.providers import Provider, logout_token
from tests.protocol.soft_keys import SoftKey, add_key, use_key

SUBJECT = "pia-there"


@pytest.fixture
def provider(app):
    """Return a provider that may link accounts by their address."""
    return Provider(app).attach(title="Acme staff", links_by_email=True)


@pytest.fixture
def pia(enrol):
    """Return somebody with a password, whose account is linked with the first sign-in there."""
    return enrol("pia@example.org")


@pytest.fixture
def somebody(provider, pia):
    """Return the browser in which Pia has signed in by the provider."""
    found = provider.come(sid="laptop", email_verified=True)
    found.email = pia.email
    return found


def ends(provider, somebody):
    """Tell whether a sign-out at the provider ends the session of a browser."""
    assert is_signed_in_wholly(somebody)
    assert provider.log_out(logout_token(sub=SUBJECT)).status_code == 200
    return not is_signed_in_wholly(somebody)


@pytest.fixture
def told(register):
    """Return an app that signs people in and wants to hear of the end."""
    return register(scope="openid", backchannel_logout_uri="https://client.example/told")


def endings(app):
    """Return how many apps are to be told, and why the grants have ended."""
    with app.app_context():
        jobs = db.session.scalars(select(Job.id).where(Job.kind == "deliver logout")).all()
        return len(jobs), db.session.scalars(select(Grant.revoked_reason)).all()


def test_a_sign_out_at_the_provider_is_passed_on_to_the_apps(app, provider, somebody, told):
    somebody.tokens(told, scope="openid", resource=None)

    assert ends(provider, somebody)
    assert endings(app) == (1, ["session ended"])


def test_a_sign_in_that_ended_on_its_way_takes_no_app_along(app, provider, pia, told, clock):
    """The session before it had another origin, so that the token did not name that."""
    pia.tokens(told, scope="openid", resource=None)
    sent = provider.begin(pia.http, pia.open("/login?again=yes"))
    clock.advance(2)
    provider.log_out(logout_token(sub=SUBJECT))
    assert endings(app) == (0, [None])

    provider.claims = {"email_verified": True}
    provider.come_back(pia.http, sent)

    assert not is_signed_in_wholly(pia)
    assert endings(app) == (1, ["session ended"])


def test_a_session_that_is_replaced_while_it_is_ended_ends_in_its_successor(
    app, provider, somebody, told, monkeypatch
):
    """So it looks to who waited for the replacement to be committed."""
    somebody.tokens(told, scope="openid", resource=None)

    def replaced_meanwhile(session_id):
        monkeypatch.undo()
        before = db.session.get_one(Session, session_id)
        seconds, whose = 60, {"address": "", "user_agent": "", "origin": before.origin}
        after, _ = sessions.issue(before.user_id, lifetime_seconds=seconds, **whose)
        sessions.replace(session_id, after)

    with app.app_context():
        user_id = db.session.scalars(select(Session.user_id)).one()
        monkeypatch.setattr(sessions, "end", replaced_meanwhile)
        sessions.end_others(user_id, None, by=SERVER)
        db.session.commit()
        assert db.session.scalars(select(Session.id)).all() == []
    assert endings(app) == (1, ["session ended"])


def change_password(somebody):
    """Change the password."""
    typed = {"current_password": PASSWORD, "new_password": "another long sentence"}
    somebody.submit(somebody.open("/account/password"), "/account/password", **typed)


def add_and_remove_app(somebody):
    """Add an authenticator app and remove it again."""
    add_app(somebody)
    somebody.submit(somebody.open("/account/security"), "/account/security/remove")


@pytest.mark.parametrize("change", [change_password, add_app, add_and_remove_app])
def test_whoever_changes_what_they_sign_in_with_goes_on_in_a_session_of_the_provider(
    provider, somebody, audited, change
):
    change(somebody)

    assert audited("user.factor_added") or audited("user.password_changed")
    assert ends(provider, somebody)


def test_a_code_completes_a_session_of_the_provider(provider, somebody, clock):
    phone = add_app(somebody)
    clock.advance(60)
    half = provider.come(sid="phone")

    prove(half, phone.code())

    assert ends(provider, half)


def test_a_passkey_completes_a_session_of_the_provider(provider, somebody):
    key = SoftKey()
    add_key(somebody, key)
    half = provider.come(sid="phone")

    use_key(half, key, half.open(FACTOR))

    assert ends(provider, half)


def test_a_session_that_waits_for_the_second_factor_ends_too(provider, somebody):
    add_app(somebody)
    half = provider.come(sid="phone")
    assert half.open(FACTOR).status_code == 200

    provider.log_out(logout_token(sid="phone"))

    assert half.open(FACTOR).location == "/login"
    assert is_signed_in_wholly(somebody)


def test_who_signs_in_anew_with_a_password_leaves_the_provider_behind(provider, somebody):
    somebody.sign_in(somebody.open("/login?again=yes"))

    assert not ends(provider, somebody)


def test_who_signs_in_anew_with_a_passkey_leaves_the_provider_behind(provider, somebody):
    key = SoftKey()
    add_key(somebody, key)
    use_key(somebody, key, somebody.open("/login?again=yes"))

    assert not ends(provider, somebody)
