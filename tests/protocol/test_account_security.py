"""Adding, removing and renewing a second factor, and roles that need one (C-05, C-06, C-08)."""

import pytest

from app.account.enrolment import FINDING_SECONDS
from app.browser_session import FRESH_SECONDS
from app.domain import second_factors, users
from app.domain.authenticators import Authenticator
from app.domain.recovery_codes import RecoveryCode
from app.extensions import db
from tests.console.markup import controls, texts
from tests.protocol.persons import answer_of
from tests.protocol.phones import (
    FACTOR,
    PAGE,
    RECOVERY,
    SECRET,
    Phone,
    add_app,
    confirm,
    proposed,
    prove,
)
from tests.protocol.test_login import is_signed_in

LIST = "/account/security"
NEEDED = {"second_factor_roles": ("approver", "admin")}
needed = pytest.mark.parametrize("overrides", [NEEDED], ids=["needed"])


def stored(app):
    """Return all that is kept of second factors."""
    with app.app_context():
        tables = (Authenticator.__table__, RecoveryCode.__table__)
        return [row for each in tables for row in db.session.execute(db.select(each))]


def test_an_app_is_added_by_its_first_code(app, person, clock, audited):
    person.sign_in()
    phone = add_app(person)

    assert len(set(phone.recovery)) == 10
    assert "Added" in texts(person.open(LIST).text)
    assert person.open(PAGE).location == LIST
    (event,) = audited("user.factor_added")
    assert (event.actor_id, event.subject) == (person.user_id, person.user_id)
    for secret in (phone.secret, phone.secret.encode(), *phone.recovery):
        assert str(secret) not in str(stored(app))
    assert phone.recovery[0] not in person.open(LIST).text


def test_a_wrong_first_code_adds_nothing_and_keeps_the_secret(app, person, clock):
    person.sign_in()
    secret = proposed(person)

    answer = confirm(person, "000000")

    assert answer.status_code == 422
    assert second_factors.UNPROVEN in texts(answer.text)
    assert SECRET.search(answer.text)[1] == secret
    assert stored(app) == []


def test_a_secret_belongs_to_the_session_it_was_shown_in(person, clock):
    person.sign_in()
    other = person.elsewhere()
    other.sign_in()
    secret = proposed(person)

    assert SECRET.search(other.open(PAGE).text) is None
    page = person.open(PAGE)
    sent = other.submit(other.open(LIST), "/logout")
    assert sent.status_code == 200
    assert person.submit(page, f"{PAGE}/confirm", otp=Phone(secret, []).code()).status_code == 200


def test_adding_an_app_ends_all_other_sessions(person, clock):
    other = person.elsewhere()
    for each in (other, person):
        each.sign_in()

    add_app(person)

    assert is_signed_in(person)
    assert not is_signed_in(other)


def test_a_second_app_is_not_added_beside_the_first(app, person, clock):
    """C-12: a session that has not proved the first one is not fresh."""
    person.sign_in()
    late = person.elsewhere()
    late.sign_in()
    secret, page = proposed(late), late.open(PAGE)
    with app.app_context():
        user = users.get(person.user_id)
        assert second_factors.authenticators.add(user.id, b"sealed", 0)
        db.session.commit()

    answer = late.submit(page, f"{PAGE}/confirm", otp=Phone(secret, []).code())

    assert answer.location == f"/login?next={PAGE}&again=yes"
    with app.app_context():
        assert second_factors.authenticators.find(person.user_id).secret_sealed == b"sealed"


def test_removing_the_app_leaves_the_password_alone(app, person, clock, audited):
    person.sign_in()
    phone = add_app(person)
    other = person.elsewhere()
    other.sign_in()
    clock.advance(30)
    prove(other, phone.code())

    removed = person.submit(person.open(LIST), f"{LIST}/remove")

    assert removed.location == LIST
    assert stored(app) == []
    assert is_signed_in(person)
    assert not is_signed_in(other)
    assert other.sign_in().location == "/"
    assert audited("user.factor_removed")[0].actor_id == person.user_id


def test_new_recovery_codes_end_those_before(person, clock):
    person.sign_in()
    phone = add_app(person)
    page = person.submit(person.open(LIST), f"{LIST}/recovery-codes")
    fresh = RECOVERY.findall(page.text)
    other = person.elsewhere()
    other.sign_in()

    assert not set(fresh) & set(phone.recovery)
    assert prove(other, phone.recovery[0]).status_code == 401
    assert prove(other, fresh[0]).status_code == 303


@pytest.mark.parametrize("what", ["remove", "recovery-codes"])
def test_who_signed_in_long_ago_changes_nothing_about_factors(app, person, clock, what):
    """C-08, C-12"""
    person.sign_in()
    add_app(person)
    before, page = stored(app), person.open(LIST)
    clock.advance(FRESH_SECONDS + 1)

    answer = person.submit(page, f"{LIST}/{what}")

    assert answer.location == f"/login?next={LIST}&again=yes"
    assert stored(app) == before


def test_who_signed_in_long_ago_adds_no_app(person, clock):
    person.sign_in()
    clock.advance(FRESH_SECONDS + 1)

    assert person.open(PAGE).location == f"/login?next={PAGE}&again=yes"


def test_who_began_in_time_may_look_for_an_app_a_while_and_change_nothing_else(app, person, clock):
    """C-12"""
    person.sign_in()
    proposed(person)
    clock.advance(FINDING_SECONDS)

    assert person.open(PAGE).status_code == 200
    assert "again=yes" in person.submit(person.open(LIST), f"{LIST}/passkeys").location
    clock.advance(1)
    assert person.open(PAGE).location == f"/login?next={PAGE}&again=yes"


def test_the_picture_holds_what_apps_read(person, clock):
    person.sign_in()
    proposed(person)
    page = person.open(PAGE).text

    [picture] = controls(page, "svg", role="img")
    assert picture["viewbox"].startswith("-4 -4 ")
    assert "path d=" in page
    assert "otpauth" not in page


@needed
def test_a_role_that_needs_a_factor_opens_nothing_before_one_is_added(approver, public, clock):
    asked = approver.sign_in(approver.open(public.asking()))
    assert asked.location.startswith(FACTOR)
    for path in ("/admin/", "/account/", "/account/security"):
        assert approver.open(path).location.startswith("/login?next=")
    assert approver.open("/login").location == FACTOR
    assert approver.open(FACTOR).location == PAGE
    assert "Your role on this server needs a second factor" in texts(approver.open(PAGE).text)

    shown = confirm(approver, Phone(proposed(approver), []).code())

    [onward] = controls(shown.text, "a", **{"class": "button primary"})
    assert "code" in answer_of(approver.decide(approver.open(onward["href"])))
    assert approver.open("/admin/").status_code == 200


@needed
def test_a_sign_in_counts_from_the_moment_the_factor_is_proven(approver, audited, clock):
    approver.sign_in()
    assert audited("user.signed_in") == []

    add_app(approver)

    (event,) = audited("user.signed_in")
    assert event.detail["methods"] == ["pwd", "otp", "mfa"]


@needed
def test_other_roles_need_none(person):
    assert person.sign_in().location == "/"
    assert is_signed_in(person)


@needed
def test_half_an_approver_with_a_factor_adds_no_other(approver, clock):
    """Or the password alone would be enough."""
    approver.sign_in()
    add_app(approver)
    other = approver.elsewhere()
    other.sign_in()

    assert other.open(PAGE).location == LIST
    assert other.open(LIST).location.startswith("/login?next=")
