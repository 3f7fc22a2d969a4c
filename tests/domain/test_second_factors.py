"""Codes and challenges of second factors count once, however many type them at once (F-06)."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from pyotp import TOTP

from app.domain import (
    authenticators,
    errors,
    passkey_challenges,
    recovery_codes,
    second_factors,
    users,
)
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import Clock

KEY = b"k" * 32
THREADS = 8


@pytest.fixture
def ada(app: Flask) -> str:
    """Return the identifier of an account."""
    with app.app_context():
        user_id = users.invite("ada@people.example", "member", by=SERVER).id
        db.session.commit()
    return user_id


@pytest.fixture
def winners(app: Flask) -> Iterator[Callable[[Callable[[], bool]], int]]:
    """Return a function that lets threads do the same at once; it counts those that could."""
    with ThreadPoolExecutor(THREADS) as pool:

        def count(act: Callable[[], bool]) -> int:
            start = Barrier(THREADS)

            def attempt(_: int) -> bool:
                with app.app_context():
                    start.wait()
                    done = act()
                    db.session.commit()
                    return done

            return sum(pool.map(attempt, range(THREADS)))

        yield count


def test_a_code_of_an_app_counts_once(app: Flask, ada: str, winners: Callable, clock: Clock):
    with app.app_context():
        sealed = authenticators.propose(ada, KEY)
        secret = authenticators.open_secret(ada, sealed, KEY)
        authenticators.add(ada, sealed, 0)
        db.session.commit()
    code = TOTP(secret).at(int(time.time()))

    assert winners(lambda: authenticators.spend(ada, code, KEY)) == 1


def test_of_many_apps_that_are_added_at_once_one_is(app: Flask, ada: str, winners: Callable):
    """C-05: each by a right code of its own secret; the others are refused as a conflict."""

    def enrol() -> bool:
        sealed = authenticators.propose(ada, KEY)
        code = TOTP(authenticators.open_secret(ada, sealed, KEY)).now()
        try:
            return bool(second_factors.enrol(users.get(ada), sealed, code, KEY, by=SERVER))
        except errors.Conflict:
            return False

    assert winners(enrol) == 1


def test_a_recovery_code_counts_once(app: Flask, ada: str, winners: Callable):
    with app.app_context():
        code, *_ = recovery_codes.issue(ada, KEY, by=SERVER)
        db.session.commit()

    assert winners(lambda: recovery_codes.spend(ada, code, KEY)) == 1
    with app.app_context():
        assert recovery_codes.number_left(ada) == recovery_codes.NUMBER - 1


def test_a_challenge_counts_once(app: Flask, ada: str, winners: Callable):
    with app.app_context():
        challenge = passkey_challenges.issue("browser", ada)
        db.session.commit()

    assert winners(lambda: passkey_challenges.spend(challenge, "browser")) == 0
    assert winners(lambda: passkey_challenges.spend(challenge, "browser", ada)) == 1
