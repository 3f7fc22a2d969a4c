"""Signing in with a second factor: what it opens, each code once (C-04 to C-06)."""

import json
from base64 import urlsafe_b64decode

import pytest

from app.browser_session import HALF_SECONDS
from app.domain import new_passwords, second_factors, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.persons import answer_of
from tests.protocol.phones import FACTOR, PAGE, add_app, is_signed_in_wholly, prove
from tests.protocol.test_login import cookie, is_signed_in, with_cookie


@pytest.fixture
def phone(person, clock):
    """Give the person an authenticator app, whose next code is a new one."""
    person.sign_in()
    added = add_app(person)
    clock.advance(30)
    return added


@pytest.fixture
def elsewhere(person, phone):
    """Return the person at another browser, the right password typed."""
    other = person.elsewhere()
    assert other.sign_in().location == FACTOR
    return other


def test_the_password_alone_opens_nothing(elsewhere, public):
    assert not is_signed_in_wholly(elsewhere)
    for path in ("/account/", "/account/sessions", PAGE, "/device", "/connections/"):
        answer = elsewhere.open(path)
        assert answer.status_code == 303, path
        assert answer.location.startswith(("/login?next=", "/account/security")), path
    assert 'name="password"' in elsewhere.open(public.asking()).text
    none = answer_of(elsewhere.open(public.asking(prompt="none")))
    assert none["error"] == "login_required"


def test_password_and_code_sign_in_with_a_new_cookie(elsewhere, phone, audited):
    half = cookie(elsewhere)

    assert prove(elsewhere, phone.code()).location == "/"

    assert is_signed_in_wholly(elsewhere)
    assert cookie(elsewhere) != half
    assert not is_signed_in(with_cookie(elsewhere, half))
    first, second = audited("user.signed_in")
    assert first.detail["methods"] == ["pwd"]
    assert second.detail["methods"] == ["pwd", "otp", "mfa"]


def test_a_request_of_an_app_goes_on_behind_the_code(person, phone, public):
    other = person.elsewhere()
    asked = other.sign_in(other.open(public.asking()))
    assert asked.location.startswith(f"{FACTOR}?next=/authorize")

    proven = prove(other, phone.code(), other.open(asked.location))

    assert "code" in answer_of(other.decide(other.open(proven.location)))


def test_a_code_works_once_although_two_browsers_wait(person, phone):
    """F-06: the one that was typed first."""
    first, second = person.elsewhere(), person.elsewhere()
    for each in (first, second):
        each.sign_in()
    code = phone.code()

    assert [prove(each, code).status_code for each in (first, second)] == [303, 401]
    assert not is_signed_in_wholly(second)


def test_the_code_that_added_the_app_is_used_up(person, clock):
    person.sign_in()
    phone = add_app(person)
    other = person.elsewhere()
    other.sign_in()

    assert prove(other, phone.code()).status_code == 401


@pytest.mark.parametrize("spelled", [str, str.upper, lambda code: code.replace("-", " ")])
def test_a_recovery_code_works_once_however_it_is_spelled(
    elsewhere, person, phone, spelled, audited
):
    code = spelled(phone.recovery[3])
    assert prove(elsewhere, code).status_code == 303

    again = person.elsewhere()
    again.sign_in()
    assert prove(again, code).status_code == 401
    (event,) = audited("user.recovery_code_used")
    assert (event.actor_id, event.detail) == (person.user_id, {"left": 9})


def test_a_recovery_code_of_somebody_else_is_a_wrong_code(enrol, phone, clock):
    other = enrol("bob@people.example")
    other.sign_in()
    add_app(other)
    browser = other.elsewhere()
    browser.sign_in()

    assert prove(browser, phone.recovery[0]).status_code == 401


@pytest.mark.parametrize("otp", ["000000", "", "\0", "\u0660" * 6, "a" * 5000, None])
def test_a_wrong_code_is_said_at_its_field_and_recorded(elsewhere, otp, audited, person):
    answer = elsewhere.submit(elsewhere.open(FACTOR), FACTOR, otp=otp)

    assert answer.status_code == 401
    assert second_factors.WRONG in texts(answer.text)
    assert len(controls(answer.text, "input", **{"aria-invalid": "true"})) == 1
    (event,) = audited("user.factor_failed")
    assert (event.subject, event.detail) == (person.user_id, {})


def test_guesses_wait_and_the_right_password_forgets_none(elsewhere, phone, clock):
    """C-02: or whoever has the password could guess for ever."""
    for _ in range(6):
        assert prove(elsewhere, "000000").status_code == 401
        assert elsewhere.sign_in(elsewhere.open("/login?again=yes")).location == FACTOR

    throttled = prove(elsewhere, phone.code())

    assert throttled.status_code == 429
    assert int(throttled.headers["Retry-After"]) == 2
    clock.advance(2)
    assert prove(elsewhere, phone.code()).status_code == 303


def test_half_a_sign_in_ends_after_five_minutes(elsewhere, phone, clock):
    page = elsewhere.open(FACTOR)
    clock.advance(HALF_SECONDS)

    assert prove(elsewhere, phone.code(), page).status_code == 400

    assert elsewhere.open(FACTOR).location == "/login"
    assert not is_signed_in_wholly(elsewhere)


def test_half_a_sign_in_ends_with_the_account(app, person, elsewhere):
    with app.app_context():
        users.disable(users.find(person.user_id), by=SERVER)
        db.session.commit()

    assert elsewhere.open(FACTOR).location == "/login"


def test_a_link_for_a_new_password_leaves_the_second_factor(app, person, phone):
    """C-04: whoever reads somebody's link has one factor of two."""
    with app.app_context():
        token = new_passwords.issue(users.find(person.user_id), by=SERVER)
        db.session.commit()
    other, link, new = person.elsewhere(), "/account/new-password", "a sentence nobody else says"
    other.submit(other.open(link), link, token=token, password=new)

    assert other.sign_in(password=new).location == FACTOR
    assert not is_signed_in_wholly(other)


def test_signing_in_once_more_asks_for_the_code_again(person, phone):
    """C-12: what needs a fresh sign-in needs both factors."""
    again = person.sign_in(person.open("/login?next=/account/security&again=yes"))

    assert again.location == f"{FACTOR}?next=/account/security"
    assert not is_signed_in_wholly(person)
    assert prove(person, phone.code(), person.open(again.location)).location == "/account/security"
    assert is_signed_in_wholly(person)


def test_an_id_token_tells_how_somebody_signed_in(person, phone, relying):
    other, asked = person.elsewhere(), {"scope": "openid offline_access"}
    sent = other.sign_in(other.open(relying.asking(**asked)))
    proven = prove(other, phone.code(), other.open(sent.location))
    code = answer_of(other.decide(other.open(proven.location)))["code"]
    tokens = relying.redeem(code).json

    assert claims_of(tokens["id_token"])["amr"] == ["pwd", "otp", "mfa"]
    renewed = relying.refresh(tokens["refresh_token"]).json
    assert claims_of(renewed["id_token"])["amr"] == ["pwd", "otp", "mfa"]


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
