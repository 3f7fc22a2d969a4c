"""Accounts: who may lose rights, and what two people do to them at the same time."""

from collections.abc import Callable
from threading import Thread

import pytest
from flask import Flask

from app.domain import errors, new_passwords, password_sign_in, sessions, users
from app.domain.audit import SERVER, Actor
from app.domain.passwords import Passwords
from app.domain.sessions import Session
from app.extensions import db

PASSWORD, NEW = "correct horse battery", "a sentence of my own"


@pytest.fixture
def made(app: Flask) -> dict[str, str]:
    """Make two administrators and a member; return their identifiers."""
    hasher = Passwords(19456, 1)
    with app.app_context():
        found = {
            name: users.create(f"{name}@e.example", role, PASSWORD, hasher, by=SERVER).id
            for name, role in (("ada", "admin"), ("bob", "admin"), ("cy", "member"))
        }
        db.session.commit()
    return found


def test_of_two_administrators_who_demote_each_other_at_once_one_stays(
    app: Flask, made: dict[str, str]
) -> None:
    said: list[Exception] = []

    def demote_ada() -> None:
        with app.app_context():
            try:
                users.change_role(
                    users.get(made["ada"]), "viewer", by=Actor("operator", made["bob"])
                )
                db.session.commit()
            except errors.Conflict as refusal:
                said.append(refusal)

    with app.app_context():
        users.change_role(users.get(made["bob"]), "viewer", by=Actor("operator", made["ada"]))
        other = Thread(target=demote_ada)
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it does not wait for the first"
        db.session.commit()
    other.join(10)

    assert [str(each.description) for each in said] == [users.LAST]
    with app.app_context():
        assert [users.get(made[name]).role for name in ("ada", "bob")] == ["admin", "viewer"]


def test_an_administrator_who_cannot_sign_in_yet_does_not_count(
    app: Flask, made: dict[str, str]
) -> None:
    with app.app_context():
        users.invite("dan@e.example", "admin", by=SERVER)
        users.disable(users.get(made["bob"]), by=SERVER)

        with pytest.raises(errors.Conflict, match="last administrator"):
            users.disable(users.get(made["ada"]), by=SERVER)
        users.enable(users.get(made["bob"]), by=SERVER)
        users.disable(users.get(made["ada"]), by=SERVER)


def test_guesses_count_together_however_the_address_is_spelled(
    app: Flask, made: dict[str, str]
) -> None:
    hasher = Passwords(19456, 2)
    with app.app_context():
        for guesses in range(6):
            typed = "\t" * guesses + "Cy@e.example" + " " * guesses
            with pytest.raises(errors.AccessDenied):
                password_sign_in.authenticate(typed, "not this sentence", hasher, by=SERVER)
            db.session.commit()

        with pytest.raises(errors.TooManyRequests):
            password_sign_in.authenticate("cy@e.example", PASSWORD, hasher, by=SERVER)


def test_others_write_while_a_new_password_is_hashed(app: Flask, made: dict[str, str]) -> None:
    hasher = Passwords(19456, 2)

    class Busy(Passwords):
        """Hashes while somebody else writes."""

        def hash(self, password: str) -> str:
            with app.app_context():
                new_passwords.issue(users.get(made["ada"]), by=SERVER)
                db.session.commit()
            return hasher.hash(password)

    with app.app_context():
        cy = users.get(made["cy"])
        new_passwords.change(cy, PASSWORD, NEW, Busy(19456, 2), by=SERVER)
        db.session.commit()

        assert (
            password_sign_in.authenticate("cy@e.example", NEW, hasher, by=SERVER).id == made["cy"]
        )


def test_of_two_who_use_one_link_at_once_one_sets_the_password(
    app: Flask, made: dict[str, str]
) -> None:
    hasher = Passwords(19456, 2)
    with app.app_context():
        token = new_passwords.issue(users.get(made["cy"]), by=SERVER)
        db.session.commit()

    class Slow:
        """Hashes when somebody else has used the link."""

        def hash(self, password: str) -> str:
            with app.app_context():
                new_passwords.redeem(token, NEW, hasher, by=SERVER)
                db.session.commit()
            return hasher.hash(password)

    with app.app_context():
        with pytest.raises(errors.AccessDenied):
            new_passwords.redeem(token, "not this sentence", Slow(), by=SERVER)
        db.session.rollback()

        assert (
            password_sign_in.authenticate("cy@e.example", NEW, hasher, by=SERVER).id == made["cy"]
        )


class Distracted(Passwords):
    """Verifies a password rightly, and lets something happen at that moment."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(19456, 1)
        self.meanwhile = meanwhile

    def verify(self, encoded: str | None, password: str) -> bool:
        right = super().verify(encoded, password)
        self.meanwhile()
        return right


def change_password(app: Flask, user_id: str) -> None:
    """Set another password, as another request does."""
    with app.app_context():
        users.set_password(users.get(user_id), Passwords(19456, 1).hash(NEW), by=SERVER)
        db.session.commit()


def test_a_password_that_is_changed_while_it_is_verified_proves_nothing(
    app: Flask, made: dict[str, str]
) -> None:
    hasher = Distracted(lambda: change_password(app, made["cy"]))
    email = "cy@e.example"

    with app.app_context(), pytest.raises(errors.AccessDenied, match=password_sign_in.WRONG):
        password_sign_in.authenticate(email, PASSWORD, hasher, by=SERVER)

    with app.app_context():
        assert password_sign_in.authenticate(email, NEW, Passwords(19456, 1), by=SERVER)


def test_a_sign_in_that_is_not_over_yet_does_not_outlive_the_password(
    app: Flask, made: dict[str, str]
) -> None:
    other = Thread(target=change_password, args=(app, made["cy"]))

    with app.app_context():
        user = password_sign_in.authenticate(
            "cy@e.example", PASSWORD, Passwords(19456, 1), by=SERVER
        )
        other.start()
        other.join(0.3)
        assert other.is_alive(), "it does not wait for the first"
        sessions.issue(user.id, lifetime_seconds=60, address="", user_agent="")
        db.session.commit()
    other.join(10)

    with app.app_context():
        assert db.session.scalars(db.select(Session)).all() == []
