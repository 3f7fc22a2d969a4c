"""My sessions: where somebody is signed in, and that an end counts at once on every instance."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app import create_app, devices
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.persons import Person, find_form

SESSIONS = "/account/sessions"
HOST, COOKIE = "gatewright.example", "__Host-gatewright"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"


@pytest.fixture
def another_app(app: Flask, settings) -> Iterator[Flask]:
    """Return another instance over the same database."""
    other = create_app(settings)
    yield other
    with other.app_context():
        db.engine.dispose()


def is_signed_in(person):
    return person.open(SESSIONS).status_code == 200


def at(app, person):
    """Return the same browser, whose requests reach another instance."""
    there = Person(app, person.email, person.user_id)
    there.http.set_cookie(COOKIE, person.http.get_cookie(COOKIE, HOST).value, domain=HOST)
    return there


def test_each_session_has_device_address_and_times_and_one_is_this(person):
    elsewhere = person.elsewhere()
    elsewhere.http.environ_base["HTTP_USER_AGENT"] = FIREFOX
    elsewhere.http.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    person.sign_in()
    elsewhere.sign_in()

    page = person.open(SESSIONS).text

    said = texts(page)
    assert "Firefox on Linux Address 192.0.2.7 Signed in" in said
    assert said.count("This one") == 1
    assert len(controls(page, "input", name="session_id")) == 1


def test_one_session_is_ended_and_the_others_go_on(person, another_app, audited):
    lost, kept = person.elsewhere(), person.elsewhere()
    for browser in (kept, lost, person):
        browser.sign_in()
    page = person.open(SESSIONS)
    [newest, _] = controls(page.text, "input", name="session_id")
    form = find_form(page, "/account/sessions/end").fields | {"session_id": newest["value"]}

    assert person.http.post("/account/sessions/end", data=form).location == SESSIONS

    alive = [is_signed_in(at(another_app, browser)) for browser in (person, kept, lost)]
    assert alive == [True, True, False]
    (event,) = audited("user.sessions_ended")
    assert (event.actor_id, event.subject) == (person.user_id, person.user_id)
    assert event.detail == {"sessions": 1}


def test_all_others_are_ended_at_once_on_every_instance(person, another_app):
    """C-11, X-53"""
    others = [person.elsewhere() for _ in range(2)]
    for browser in (*others, person):
        browser.sign_in()

    person.submit(person.open(SESSIONS), "/account/sessions/end-others")

    assert "All other browsers are signed out." in texts(person.open(SESSIONS).text)
    assert [is_signed_in(at(another_app, browser)) for browser in others] == [False, False]
    assert is_signed_in(at(another_app, person))


def test_nobody_ends_or_sees_the_session_of_another(enrol, person):
    other = enrol("bob@people.example")
    other.http.environ_base["REMOTE_ADDR"] = "192.0.2.8"
    other.sign_in()
    person.elsewhere().sign_in()
    person.sign_in()
    page = person.open(SESSIONS)
    [mine] = controls(page.text, "input", name="session_id")
    form = find_form(other.open(SESSIONS), "/logout").fields | {"session_id": mine["value"]}

    assert "192.0.2.8" not in page.text
    assert other.http.post("/account/sessions/end", data=form).status_code == 303
    assert len(controls(person.open(SESSIONS).text, "input", name="session_id")) == 1


def test_a_code_ends_with_the_session_it_was_issued_in(person, public):
    elsewhere = person.elsewhere()
    code = elsewhere.code(public)
    person.sign_in()

    person.submit(person.open(SESSIONS), "/account/sessions/end-others")

    assert public.redeem(code).status_code == 400


@pytest.mark.parametrize(
    "user_agent, words",
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 20 like Mac OS X) Safari/604", "Safari on iPhone"),
        ("curl/8.0", "Another browser"),
        ("<b>", "Another browser"),
        ("", "Another browser"),
    ],
)
def test_a_device_is_called_in_words_of_ours(user_agent, words):
    assert devices.describe(user_agent) == words
