"""Who guesses codes of devices has to wait, whatever counts requests (security.md N-113)."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.domain import user_codes
from app.extensions import db
from tests.conftest import Clock
from tests.protocol import devices
from tests.protocol.machines import Machine
from tests.protocol.persons import Person, find_form

GUESSES = 1000
SLOW = "Too many wrong codes"
MODES = {
    "off": {"rate_limit_enabled": False},
    "memory": {"rate_limit_enabled": True},
    "Redis lost": {"rate_limit_enabled": True, "redis_url": "redis://127.0.0.1:1/0"},
}


@pytest.fixture
def device(register: Callable[..., Machine]) -> Machine:
    return register(**devices.METADATA)


def guess(person: Person, times: int) -> Counter[int]:
    """Type random codes; return how often each status was answered."""
    token = find_form(person.open("/device"), "/device").fields["csrf_token"]
    sent = ({"csrf_token": token, "user_code": user_codes.new()} for _ in range(times))
    return Counter(person.http.post("/device", data=form).status_code for form in sent)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("overrides", MODES.values(), ids=MODES)
def test_of_a_thousand_guesses_six_are_looked_at(
    device: Machine, person: Person, clock: Clock, audited: Callable[[str], list[Any]]
) -> None:
    asked = devices.ask(device)
    person.sign_in()

    assert guess(person, GUESSES) == {400: 6, 429: GUESSES - 6}

    right = devices.type_code(person, asked["user_code"])
    assert (right.status_code, SLOW in right.text) == (429, True)
    assert int(right.headers["Retry-After"]) == 2
    assert {event.subject for event in audited("limit.reached")} == {"device.check_code"}
    clock.advance(2)
    assert devices.answer(person, asked).status_code == 200


def test_guessing_goes_on_ever_slower_until_the_codes_have_run_out(
    person: Person, clock: Clock
) -> None:
    """N-113: about as many looks as a code has minutes, for who never waits too long."""
    person.sign_in()
    began, looked_at = clock.now, 0
    while clock.now < began + 900:
        waiting = devices.type_code(person, user_codes.new()).headers.get("Retry-After")
        looked_at += waiting is None
        clock.advance(int(waiting or 0))

    assert looked_at == 14


def test_a_restart_another_browser_and_another_account_do_not_help(
    app: Flask, settings: Any, person: Person, enrol: Callable[..., Person], clock: Clock
) -> None:
    person.sign_in()
    guess(person, 6)
    restarted = Person(create_app(settings), person.email, person.user_id)
    restarted.sign_in()
    try:
        assert guess(restarted, 1) == {429: 1}
    finally:
        with restarted.app.app_context():
            db.engine.dispose()

    others = [enrol(f"p{number}@people.example") for number in range(3)]
    for other in others:
        other.sign_in()
    assert guess(others[0], 5) == guess(others[1], 5) == {400: 5}
    assert guess(others[2], 6) == {400: 5, 429: 1}


def test_a_right_code_does_not_forgive_the_wrong_ones(
    device: Machine, person: Person, clock: Clock
) -> None:
    """Or whoever has a device of their own could guess on for ever."""
    person.sign_in()
    guess(person, 5)
    devices.let_in(person, device)

    assert guess(person, 2) == {400: 1, 429: 1}
