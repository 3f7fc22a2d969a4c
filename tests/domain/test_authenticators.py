"""Codes of authenticator apps (RFC 6238): which are taken, and each once."""

import base64

import pytest

from app.domain import authenticators, users
from app.domain.audit import SERVER

KEY = b"k" * 32
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (20000000000, "353130")]
"""RFC 6238 appendix B, the last six digits."""


@pytest.fixture
def ada(app):
    """Return the identifier of an account with the secret of the RFC; its last step is long ago."""
    with app.app_context():
        user_id = users.invite("ada@people.example", "member", by=SERVER).id
        sealed = authenticators.credentials.seal(
            KEY, SECRET.encode(), authenticators.bound(user_id)
        )
        assert authenticators.add(user_id, sealed, 0)
        yield user_id


@pytest.mark.parametrize("at, code", VECTORS)
def test_the_codes_are_those_of_the_rfc(clock, at, code):
    clock.now = at

    assert authenticators.step_of(SECRET, code) == at // 30


@pytest.mark.parametrize(
    "seconds, taken", [(-31, False), (-30, True), (30, True), (59, True), (60, False)]
)
def test_a_code_is_taken_one_step_before_and_after_its_own(clock, seconds, taken):
    clock.now = 1111111110 + seconds

    assert (authenticators.step_of(SECRET, "050471") is not None) is taken


@pytest.mark.parametrize("code", ["", "0504710", "05047", "\u0660" * 6, "050471\0"])
def test_what_is_no_code_is_a_wrong_one(clock, code):
    clock.now = 1111111111

    assert authenticators.step_of(SECRET, code) is None


def test_a_code_is_used_once_and_one_before_it_never_more(clock, ada):
    clock.now = 1111111111
    newest, before = "050471", "081804"

    assert authenticators.spend(ada, newest, KEY)
    assert not authenticators.spend(ada, newest, KEY)
    assert not authenticators.spend(ada, before, KEY)


def test_a_secret_opens_for_its_own_account_alone(app, ada):
    """C-61: rows that were swapped open for nobody."""
    bob = users.invite("bob@people.example", "member", by=SERVER).id
    stolen = authenticators.find(ada).secret_sealed

    assert authenticators.open_secret(ada, stolen, KEY) == SECRET
    with pytest.raises(ValueError, match="another key or another row"):
        authenticators.open_secret(bob, stolen, KEY)
    assert SECRET.encode() not in stolen


def test_a_new_secret_has_160_bits(app):
    sealed = authenticators.propose("u-1", KEY)

    assert len(base64.b32decode(authenticators.open_secret("u-1", sealed, KEY))) == 20
