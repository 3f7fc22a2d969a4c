"""Attempts to sign in wait, whatever process counts them (security.md C-02)."""

import pytest

from app import create_app
from app.extensions import db
from app.protocol import refusals
from tests.protocol.persons import Person


def fail(person, times):
    return [person.sign_in(password="wrong password").status_code for _ in range(times)]


def test_the_sixth_failure_makes_the_next_attempt_wait(person, clock):
    assert fail(person, 6) == [401] * 6
    throttled = person.sign_in()

    assert throttled.status_code == 429
    assert int(throttled.headers["Retry-After"]) == 2
    clock.advance(2)
    assert person.sign_in().status_code == 303


def test_each_further_failure_waits_longer_up_to_a_quarter_of_an_hour(person, clock):
    waits = []
    fail(person, 5)
    for _ in range(11):
        fail(person, 1)
        waits.append(int(person.sign_in().headers["Retry-After"]))
        clock.advance(waits[-1])

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_restart_forgets_nothing(app, settings, person, clock):
    fail(person, 6)

    restarted = Person(create_app(settings), person.email, person.user_id)
    try:
        assert restarted.sign_in().status_code == 429
    finally:
        with restarted.app.app_context():
            db.engine.dispose()


def test_an_account_that_does_not_exist_waits_alike(person, clock):
    for _ in range(6):
        person.sign_in(username="nobody@people.example", password="wrong password")

    assert person.sign_in(username="nobody@people.example").status_code == 429


def test_success_forgets_the_failures_of_the_account(person, clock):
    fail(person, 5)
    person.sign_in()

    assert fail(person.elsewhere(), 5) == [401] * 5


def test_an_address_that_tries_many_accounts_waits(person, clock):
    for number in range(21):
        person.sign_in(username=f"p{number}@people.example", password="wrong password")

    assert person.sign_in().status_code == 429


def test_the_wait_is_said_on_the_page_of_the_request(person, public, clock):
    fail(person, 6)
    throttled = person.sign_in(person.open(public.asking()))

    assert throttled.status_code == 303
    assert "Too many failed attempts" in person.open(throttled.location).text


def test_a_throttled_attempt_is_recorded_beside_the_failures(person, clock, audited):
    fail(person, 6)
    throttled = person.sign_in()
    (event,) = audited("limit.reached")

    assert (event.subject, event.address) == ("login.sign_in_with_password", "127.0.0.1")
    assert event.request_id == throttled.headers["X-Request-Id"]
    assert event.detail["account"] == audited("user.sign_in_failed")[-1].detail["account"]


LIMITED = {"rate_limit_enabled": True, "sign_in_rate_limit": "2 per minute"}


@pytest.mark.parametrize("overrides", [LIMITED], ids=["limited"])
def test_limited_attempts_are_recorded_as_long_as_they_fill_no_disk(
    person, audited, clock, monkeypatch
):
    monkeypatch.setattr(refusals, "RECORDED", "3 per minute")
    statuses = fail(person, 7)

    assert statuses == [401] * 2 + [429] * 5
    assert [event.detail["limit"] for event in audited("limit.reached")] == ["2 per minute"] * 3
