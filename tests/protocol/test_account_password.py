"""Changing one's password: proven by the one before, throttled, and what ends with it (N-096)."""

import pytest

from app.browser_session import FRESH_SECONDS
from app.domain import new_passwords, users
from app.domain.audit import SERVER
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.machines import assert_refused
from tests.protocol.persons import PASSWORD
from tests.protocol.phones import add_app
from tests.protocol.test_account_security import LIST as FACTORS
from tests.protocol.test_account_sessions import another_app as another_app
from tests.protocol.test_account_sessions import at, is_signed_in

PAGE = "/account/password"
NEW = "a sentence nobody else says"


def change(person, **changes):
    """Send the form."""
    fields = {"current_password": PASSWORD, "new_password": NEW}
    return person.submit(person.open(PAGE), PAGE, **(fields | changes))


def test_the_new_password_signs_in_and_the_old_one_does_not(person):
    person.sign_in()

    assert change(person).location == PAGE

    elsewhere = person.elsewhere()
    assert elsewhere.sign_in().status_code == 401
    assert elsewhere.sign_in(password=NEW).status_code == 303


def test_all_other_sessions_and_all_grants_end_with_it_on_every_instance(
    person, public, another_app, audited
):
    elsewhere = person.elsewhere()
    tokens, code = elsewhere.tokens(public), elsewhere.code(public)
    person.sign_in()
    stolen = at(another_app, person)

    change(person)

    assert "All other browsers are signed out" in texts(person.open(PAGE).text)
    assert [is_signed_in(each) for each in (at(another_app, elsewhere), stolen)] == [False, False]
    assert is_signed_in(at(another_app, person))
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")
    assert_refused(public.redeem(code), "invalid_grant")
    (event,) = audited("user.password_changed")
    assert (event.actor_id, event.subject) == (person.user_id, person.user_id)
    assert event.detail["grants"] == 1
    assert NEW not in str(event.detail)


def test_changing_the_password_does_not_stand_for_signing_in_by_all_factors(person, clock):
    """C-12: whoever knows the password alone, at a browser left open, stays without the factor."""
    person.sign_in()
    add_app(person)
    clock.advance(FRESH_SECONDS + 1)

    assert change(person).location == PAGE

    answer = person.submit(person.open(FACTORS), f"{FACTORS}/remove")
    assert answer.location == f"/login?next={FACTORS}&again=yes"


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"current_password": "wrong password"}, "This is not the password you have now."),
        ({"current_password": ""}, "Type the password you have now."),
        ({"new_password": "short"}, "A password has 12 to 256 characters."),
        ({"new_password": None}, "A password has 12 to 256 characters."),
        ({"new_password": "passwordpassword"}, "too easy to guess"),
    ],
    ids=str,
)
def test_a_refused_change_says_why_at_its_field_and_changes_nothing(person, changes, words):
    elsewhere = person.elsewhere()
    elsewhere.sign_in()
    person.sign_in()

    answer = change(person, **changes)

    assert answer.status_code == 422
    assert words in texts(answer.text)
    assert len(controls(answer.text, "input", **{"aria-invalid": "true"})) == 1
    assert PASSWORD not in answer.text
    assert is_signed_in(elsewhere)
    assert person.elsewhere().sign_in().status_code == 303


def test_guesses_wait_like_failed_sign_ins(person, clock):
    """C-02, C-04: in either place, for both together."""
    person.sign_in()
    page = person.open(PAGE)
    for _ in range(6):
        wrong = {"current_password": "wrong password", "new_password": NEW}
        assert person.submit(page, PAGE, **wrong).status_code == 422

    throttled = change(person)

    assert throttled.status_code == 429
    assert int(throttled.headers["Retry-After"]) == 2
    assert person.elsewhere().sign_in().status_code == 429
    clock.advance(2)
    assert change(person).status_code == 303


def test_a_link_that_was_given_out_ends_with_a_change(app, person):
    with app.app_context():
        token = new_passwords.issue(users.find(person.user_id), by=SERVER)
        db.session.commit()
    person.sign_in()
    change(person)

    link = "/account/new-password"
    answer = person.submit(person.open(link), link, token=token, password=PASSWORD)

    assert answer.status_code == 403
    assert new_passwords.DEAD in texts(answer.text)
