"""Codes and the browser session they were issued in: a code ends with its session (N-044)."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, update

from app.domain import authorization_codes, consents, errors, sessions, users
from app.domain.audit import SERVER
from app.domain.authorization_codes import AuthorizationCode
from app.domain.sessions import Session
from app.extensions import db
from app.protocol import ceilings
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.persons import Person


def sign_out(person: Person) -> None:
    page = person.open("/")
    assert person.submit(page, "/logout").status_code == 200


def sign_in_again(person: Person) -> None:
    assert person.sign_in(person.open("/login?again=1")).status_code == 303


def change_role(person: Person) -> None:
    with person.app.app_context():
        users.change_role(users.find(person.user_id), "viewer", by=SERVER)
        db.session.commit()


ENDINGS = [sign_out, sign_in_again, change_role]


@pytest.mark.parametrize("end", ENDINGS, ids=lambda end: end.__name__)
def test_a_code_ends_with_its_session_and_a_refresh_token_does_not(
    person: Person, public: Machine, end: Callable[[Person], None]
) -> None:
    """N-087: what was redeemed before is a grant, which has ends of its own."""
    tokens, code = person.tokens(public), person.code(public)

    end(person)

    assert_refused(public.redeem(code), "invalid_grant")
    assert public.refresh(tokens["refresh_token"]).status_code == 200


def test_signing_out_of_one_browser_leaves_the_code_of_another(
    person: Person, public: Machine
) -> None:
    elsewhere = person.elsewhere()
    here, there = person.code(public), elsewhere.code(public)

    sign_out(person)

    assert_refused(public.redeem(here), "invalid_grant")
    assert public.redeem(there).status_code == 200


def test_withdrawing_a_consent_leaves_the_codes_of_others(
    app: Flask, person: Person, approver: Person, public: Machine, native: Machine
) -> None:
    """N-087: neither another person's nor another client's."""
    ended, at_another, of_another = (
        person.code(public),
        person.code(native),
        approver.code(public),
    )
    with app.app_context():
        consents.revoke(user_id=person.user_id, client_id=public.client_id, by=SERVER)
        db.session.commit()

    assert_refused(public.redeem(ended), "invalid_grant")
    assert native.redeem(at_another).status_code == 200
    assert public.redeem(of_another).status_code == 200


def test_a_code_that_was_being_issued_while_its_session_ended_is_worth_nothing(
    app: Flask, person: Person, public: Machine
) -> None:
    """N-087: the row alone is deleted, as if the code had come just after it."""
    code = person.code(public)
    with app.app_context():
        db.session.execute(delete(Session))
        db.session.commit()

    assert_refused(public.redeem(code), "invalid_grant")


def test_a_session_that_ends_between_the_proof_and_the_spending_of_a_code_wins(
    app: Flask, person: Person, public: Machine
) -> None:
    """F-05: the one UPDATE that spends a code finds it withdrawn."""
    code = person.code(public)
    with app.app_context():
        row = authorization_codes.find(code)
        sessions.end(row.session_id)
        db.session.commit()

        rules = ceilings.rules(app.extensions["gatewright.settings"])
        with pytest.raises(errors.InvalidGrant):
            authorization_codes.redeem(rules, row, by=SERVER)


def test_a_code_of_before_sessions_were_noted_works(
    app: Flask, person: Person, public: Machine
) -> None:
    code = person.code(public)
    with app.app_context():
        db.session.execute(update(AuthorizationCode).values(session_id=None))
        db.session.commit()

    assert public.redeem(code).status_code == 200
