"""A person who was disabled: nothing issued for them works, whatever raced with it."""

import pytest
from flask import Flask
from sqlalchemy import update

from app import clock
from app.domain.users import User
from app.extensions import db
from tests.protocol.machines import Machine, assert_refused
from tests.protocol.persons import Person


def mark_disabled(app: Flask, at: int | None) -> None:
    """Set the mark alone, as if codes and grants had been issued just after it."""
    with app.app_context():
        db.session.execute(update(User).values(disabled_at=at))
        db.session.commit()


@pytest.mark.parametrize("spent", ["code", "refresh token"])
def test_what_was_issued_while_a_person_was_disabled_is_worth_nothing(
    app: Flask, person: Person, public: Machine, spent: str
) -> None:
    """N-087: and it is not used up by trying."""
    if spent == "code":
        value, redeem = person.code(public), public.redeem
    else:
        value, redeem = person.tokens(public)["refresh_token"], public.refresh
    mark_disabled(app, clock.epoch())
    assert_refused(redeem(value), "invalid_grant")

    mark_disabled(app, None)
    assert redeem(value).status_code == 200
