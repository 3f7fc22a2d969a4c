"""Which sessions are those of an identity provider: begun there, carried on here, left behind."""

import pytest

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
