"""Background work: what is due is done, and an hour is over once."""

import structlog
from sqlalchemy.exc import OperationalError

from app import create_app, worker
from app.domain import jobs, key_rotation, sessions, signing_keys, users
from app.domain.audit import SERVER
from app.domain.key_rotation import DAY
from app.domain.passwords import Passwords
from app.domain.sessions import Session
from app.extensions import db
from app.worker import Worker
from tests.jobs_done import deliveries, register, work
from tests.jobs_done import scripts as scripts
from tests.jobs_done import telling as telling
from tests.services.gate import ALLOWED

PERSON = ("person@people.example", "member", "long enough for everybody")


def test_a_job_of_a_kind_that_this_release_does_not_know_waits_for_one_that_does(app, clock):
    with app.app_context():
        jobs.add("of a newer release", {}, queue="q", topic="t")
        db.session.commit()
    assert (work(app), work(app)) == (1, 0)
    clock.advance(12)
    assert work(app) == 1


def test_a_worker_does_what_is_due_and_stops(telling, scripts):
    receiver = scripts(ALLOWED)
    app = telling(receiver.url)
    register(app)
    working = Worker(app)
    while working.take_turn() or not receiver.requests:
        pass
    working.stop.set()
    working.run()
    working.wait()

    assert deliveries(app)[0].state == "delivered"


def test_an_hour_s_clean_up_is_done_once_by_any_number_of_processes(app, settings, clock):
    others = [app, create_app(settings), create_app(settings)]

    def turns():
        found = []
        for each in others:
            with each.app_context():
                found.append(worker.hourly(each))
        return found

    all_of_it = ["clean-up", "reminders", "key rotation"]
    assert [turns(), turns()] == [[all_of_it, [], []], [[]] * 3]
    clock.advance(worker.HOUR)
    assert turns() == [all_of_it, [], []]
    for each in others[1:]:
        with each.app_context():
            db.engine.dispose()


def test_a_clean_up_purges_what_is_dead(app, clock):
    with app.app_context():
        user = users.create(*PERSON, Passwords(19456, 1), by=SERVER)
        sessions.issue(user.id, lifetime_seconds=60, address="", user_agent="")
        db.session.commit()
        clock.advance(61)

        assert "clean-up" in worker.hourly(app)
        assert db.session.query(Session).count() == 0


def test_keys_rotate_after_their_days_by_whichever_process_is_first(app, settings, clock):
    other = create_app(settings)
    sealing_key = app.extensions["gatewright.keys"]["signing keys"]
    with app.app_context():
        signing_keys.ensure(sealing_key, by=SERVER)
        db.session.commit()
        following = {row.kid for row in key_rotation.find_next()}
    clock.advance(settings.key_rotation_days * DAY)

    with structlog.testing.capture_logs() as lines:
        for each in (other, app):
            with each.app_context():
                worker.hourly(each)

    assert [line["event"] for line in lines if "keys" in line["event"]] == ["keys_rotated"]
    with app.app_context():
        keys = signing_keys.find_all()
    assert {key.kid for key in keys if key.state == "active"} == following
    with other.app_context():
        db.engine.dispose()


def test_a_key_that_does_not_open_is_reported_and_goes_on_signing(app, settings, clock):
    with app.app_context():
        signing_keys.ensure(b"another secret key of 32 letters", by=SERVER)
        db.session.commit()
        before = {row.kid: row.state for row in signing_keys.find_all()}
        clock.advance(settings.key_rotation_days * DAY)

        with structlog.testing.capture_logs() as lines:
            worker.hourly(app)

        assert {row.kid: row.state for row in signing_keys.find_all()} == before
    told = [line["reason"] for line in lines if line["event"] == "keys_not_rotated"]
    assert told == [key_rotation.SEALED]


def test_a_lost_database_is_asked_again(app, monkeypatch):
    working, tries = Worker(app), []

    def fail():
        tries.append(1)
        if len(tries) == 2:
            working.stop.set()
        raise OperationalError("SELECT", {}, Exception())

    monkeypatch.setattr(working, "take_turn", fail)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.001)
    with structlog.testing.capture_logs() as lines:
        working.run()

    assert [line["event"] for line in lines] == ["worker_failed"] * 2
