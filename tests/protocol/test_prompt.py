"""When a request demands a sign-in, and when it must not show one (OpenID Connect Core 3.1.2.1)."""

import pytest

from tests.protocol.persons import answer_of, find_form


@pytest.fixture
def allowed(clock, person, public):
    """Return somebody who is signed in and has allowed the client."""
    person.allow(public)
    return person


def is_sign_in(response):
    """Tell whether the sign-in form is shown."""
    return response.status_code == 200 and 'name="password"' in response.text


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent", "consent login"])
def test_prompt_login_asks_for_the_password_in_spite_of_a_session(allowed, public, prompt):
    """N-037; section 7, prompt=login logged in: it comes back without asking for ever."""
    page = allowed.open(public.asking(prompt=prompt))
    assert is_sign_in(page)

    again = allowed.open(allowed.sign_in(page).location)
    assert 'name="decision"' in again.text
    assert answer_of(allowed.decide(again))["code"]


AGES = [(0, "0", False), (1, "0", True), (60, "60", False), (61, "60", True), (61, "0061", False)]


@pytest.mark.parametrize("case", AGES, ids=str)
def test_max_age_asks_for_the_password_when_it_is_over(clock, allowed, public, case):
    """N-037"""
    age, max_age, asked = case
    clock.advance(age)
    page = allowed.open(public.asking(max_age=max_age))

    assert is_sign_in(page) is asked
    if asked:
        again = allowed.open(allowed.sign_in(page).location)
        assert 'name="decision"' in again.text


def test_prompt_none_shows_nothing(allowed, public, clock):
    """N-036; section 7, prompt=none logged in and out."""
    assert answer_of(allowed.open(public.asking(prompt="none")))["code"]
    clock.advance(61)
    old = answer_of(allowed.open(public.asking(prompt="none", max_age="60")))
    assert old["error"] == "login_required"
    nobody = answer_of(allowed.elsewhere().open(public.asking(prompt="none")))
    assert nobody["error"] == "login_required"


def test_prompt_none_does_not_replace_the_first_consent(person, public):
    """N-036"""
    person.sign_in()

    answer = answer_of(person.open(public.asking(prompt="none")))
    assert answer["error"] == "consent_required"


def test_login_hint_fills_in_the_form(person, public):
    """N-040; section 7, login_hint."""
    page = person.open(public.asking(login_hint='"a&b@people.example'))

    assert find_form(page, "/login").fields["username"] == '"a&b@people.example'


def test_unknown_prompts_are_ignored(allowed, public):
    """N-006"""
    assert answer_of(allowed.open(public.asking(prompt="create")))["code"]
