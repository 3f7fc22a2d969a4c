"""Passwords: what is accepted, how many are hashed at once, and who is measured by what."""

import pytest
from argon2 import PasswordHasher

from app.domain import errors, password_sign_in, passwords, users
from app.domain.audit import SERVER
from app.domain.passwords import Passwords
from app.extensions import db

EMAIL = "margaret@people.example"
GOOD = "correct horse battery"
CHEAP = 19456


@pytest.mark.parametrize(
    "password",
    [
        "",
        "a" * 11,
        "elevenchars",
        "abcd" * 65,
        "passwordpassword",
        "PasswordPassword",
        "aabbccaabbcc",
        "gatewrightgatewright",
        EMAIL,
        "MargaretMargaret",
    ],
)
def test_a_password_that_is_short_long_common_or_known_is_refused(password: str) -> None:
    """C-01."""
    with pytest.raises(errors.InvalidRequest):
        passwords.check(password, EMAIL)


@pytest.mark.parametrize(
    "password", ["twelve chars", "abcd" * 64, "\u00e9\u00e8 \U0001f600 ab cd ef"]
)
def test_any_other_password_is_accepted(password: str) -> None:
    """C-01: spaces and every script, no rules of composition."""
    passwords.check(password, EMAIL)


def test_no_more_are_verified_at_once_than_there_are_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """F-42: who finds no slot is told to come back, and costs no memory."""
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.01)
    hasher = Passwords(CHEAP, 2)
    encoded = hasher.hash(GOOD)
    with hasher.slots:
        assert hasher.verify(encoded, GOOD)
        with hasher.slots, pytest.raises(errors.TooManyRequests):
            hasher.verify(encoded, GOOD)
    assert not hasher.verify(encoded, f"{GOOD} ")
    assert hasher.verify(encoded, GOOD), "a wrong password keeps its slot"


def test_no_account_costs_as_much_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-69: one verification each; nothing is right for nobody."""
    hasher, verified = Passwords(CHEAP, 1), []
    verify = hasher.hasher.verify
    counting = type(
        "Counting", (), {"verify": lambda _, *sent: verified.append(1) or verify(*sent)}
    )
    monkeypatch.setattr(hasher, "hasher", counting())

    assert not hasher.verify(None, "a password that nobody has")
    assert len(verified) == 1


def test_a_hash_with_parameters_of_the_past_is_renewed_at_sign_in(app) -> None:
    """C-01."""
    hasher = Passwords(CHEAP, 1)
    with app.app_context():
        user = users.create(EMAIL, "member", GOOD, hasher, by=SERVER)
        weak = user.password_hash = PasswordHasher(1, CHEAP // 2, 1).hash(GOOD)
        db.session.commit()
        renewed = password_sign_in.authenticate(EMAIL, GOOD, hasher, by=SERVER).password_hash

        assert renewed != weak
        assert not hasher.is_outdated(renewed)
        assert hasher.verify(renewed, GOOD)
