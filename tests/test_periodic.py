"""What the server does by itself: one process an hour cleans up, whatever the database says."""

from threading import Event

import structlog
from sqlalchemy.exc import OperationalError

from app import create_app, periodic
from app.domain import sessions, users
from app.domain.audit import SERVER
from app.domain.passwords import Passwords
from app.domain.sessions import Session
from app.extensions import db

PERSON = ("person@people.example", "member", "long enough for everybody")


def test_an_hour_s_clean_up_is_done_once_by_any_number_of_processes(app, settings, clock):
    others = [app, create_app(settings), create_app(settings)]

    def turns():
        found = []
        for each in others:
            with each.app_context():
                found.append(periodic.run(each))
        return found

    assert [turns(), turns()] == [[True, False, False], [False] * 3]
    clock.advance(periodic.EVERY_SECONDS)
    assert sum(turns()) == 1
    for each in others[1:]:
        with each.app_context():
            db.engine.dispose()


def test_a_clean_up_purges_what_is_dead(app, clock):
    with app.app_context():
        user = users.create(*PERSON, Passwords(19456, 1), by=SERVER)
        sessions.issue(user.id, lifetime_seconds=60, address="", user_agent="")
        db.session.commit()
        clock.advance(61)

        assert periodic.run(app)
        assert db.session.query(Session).count() == 0


def test_a_lost_database_is_asked_again(app, monkeypatch):
    stop, tries = Event(), []

    def fail(_app):
        tries.append(1)
        if len(tries) == 2:
            stop.set()
        raise OperationalError("SELECT", {}, Exception())

    monkeypatch.setattr(periodic, "run", fail)
    monkeypatch.setattr(periodic, "LOOK_SECONDS", 0.001)
    with structlog.testing.capture_logs() as lines:
        periodic.keep_looking(app, stop)

    assert [line["event"] for line in lines] == ["clean_up_failed"] * 2
