"""Background work: events reach their endpoints in the end, and an hour is over once."""

import json
import sys
from threading import Event

import pytest
import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app import create_app, worker
from app.config import current_key, load
from app.domain import (
    announcements,
    decisions,
    jobs,
    key_rotation,
    sessions,
    signing_keys,
    software,
    users,
    webhooks,
)
from app.domain.announcements import Delivery
from app.domain.audit import SERVER, Actor
from app.domain.key_rotation import DAY
from app.domain.passwords import Passwords
from app.domain.sessions import Session
from app.extensions import db
from app.worker import Worker
from tests.protocol.registrants import BODY, post
from tests.services.gate import ALLOWED, said, scripted
from tests.services.gunicorn import ROOT
from tests.services.process import free_port, started

GRACE = Actor("operator", "u-1", "grace@people.example")
PERSON = ("person@people.example", "member", "long enough for everybody")
TOKEN = "c4n4ry-0123456789-token"
SECRETS = [f"whsec_{letter * 32}" for letter in "AB"]
REFUSED = said(500, {"error": "later"})


@pytest.fixture
def scripts():
    with scripted() as start:
        yield start


@pytest.fixture
def telling(settings):
    """Return a function that gives an app whose events go to an endpoint of the settings."""
    made = []

    def start(url, **changes):
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        named = {f"registration_webhook_{name}": value for name, value in changes.items()}
        app = create_app(load(**given | named | {"registration_webhook_url": url}))
        app.testing = True
        made.append(app)
        with app.app_context():
            webhooks.adopt(url)
            db.session.commit()
        return app

    yield start
    for app in made:
        with app.app_context():
            db.engine.dispose()


def work(app):
    """Do the jobs that are due, one after another; return how many."""
    with app.app_context():
        done = 0
        while (claim := jobs.claim()) is not None:
            db.session.commit()
            worker.do(app, claim)
            done += 1
        db.session.commit()
        return done


def register(app, **changes):
    return post(app.test_client(), {**BODY, **changes}).json["client_id"]


def deliveries(app):
    with app.app_context():
        return db.session.scalars(select(Delivery).order_by(Delivery.id)).all()


def test_an_event_is_signed_by_both_secrets_and_says_what_happened(telling, scripts, clock):
    receiver = scripts(ALLOWED)
    app = telling(receiver.url, signing_secret=" ".join(SECRETS), auth_token=TOKEN)
    client_id = register(app, client_name="Probe")

    assert work(app) == 1
    head, body = receiver.heads[0], receiver.bodies[0]
    for secret in SECRETS:
        assert Webhook(secret).verify(body, head)["type"] == "client.registered"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRETS[0]).verify(body.replace("Probe", "Prove"), head)
    assert head["authorization"] == f"Bearer {TOKEN}"
    said = json.loads(body)["data"]
    assert (said["id"], said["name"], said["outcome"]) == (client_id, "Probe", "hold")
    assert said["by"] == {"kind": "anonymous", "name": ""}
    delivered = deliveries(app)[0]
    assert (delivered.state, delivered.status, delivered.id) == (
        "delivered",
        200,
        head["webhook-id"],
    )


def test_a_decision_is_told_in_the_transaction_that_makes_it(telling, scripts):
    receiver = scripts(ALLOWED)
    app = telling(receiver.url, auth_header="X-Key", auth_token=TOKEN)
    register(app)
    with app.app_context():
        row = software.find_page("pending", size=1)[0]
        decisions.reject(row.id, row.revision, "not ours", by=GRACE)
        db.session.rollback()
        decisions.reject(row.id, row.revision, "not now", by=GRACE)
        db.session.commit()

    assert work(app) == 2
    told = json.loads(receiver.bodies[1])
    assert (told["type"], told["data"]["reason"]) == ("software.rejected", "not now")
    assert receiver.heads[1]["x-key"] == TOKEN
    assert "webhook-signature" not in receiver.heads[1]


def test_what_fails_comes_again_under_one_identifier_until_it_is_taken(telling, scripts, clock):
    receiver = scripts(REFUSED, said(302, b"", extra="Location: /other\r\n"), ALLOWED)
    app = telling(receiver.url)
    register(app)

    assert (work(app), work(app)) == (1, 0)
    for pause in (12, 35):
        clock.advance(pause)
        work(app)
    assert len({head["webhook-id"] for head in receiver.heads}) == 1
    assert receiver.bodies == [receiver.bodies[0]] * 3
    row = deliveries(app)[0]
    assert (row.state, row.attempts, row.failure) == ("delivered", 3, None)


def test_after_a_day_it_is_dead_and_an_operator_sends_it_again(telling, scripts, clock):
    receiver = scripts(REFUSED)
    app = telling(receiver.url)
    register(app)
    while work(app) or deliveries(app)[0].state == "waiting":
        clock.advance(6 * 3600)
    row = deliveries(app)[0]
    assert (row.state, row.status, row.failure) == ("dead", 500, "status")
    assert row.answer == '{"error": "later"}'

    receiver.answers = [ALLOWED]
    with app.app_context():
        webhooks.redeliver(webhooks.get_delivery(row.id), by=GRACE)
        db.session.commit()
        with pytest.raises(webhooks.errors.Conflict):
            webhooks.redeliver(webhooks.get_delivery(row.id), by=GRACE)
        db.session.rollback()
    assert work(app) == 1
    assert deliveries(app)[0].state == "delivered"


def test_a_worker_killed_between_sending_and_noting_sends_again_with_the_same_identifier(
    telling, scripts, settings
):
    """F-33."""
    killed = Event()
    receiver = scripts(lambda _connection: killed.wait(20), ALLOWED)
    app = telling(receiver.url)
    register(app)
    given = {name: getattr(settings, name) for name in ("issuer", "data_dir")}
    given |= {name: getattr(settings, name).get_secret_value() for name in ("secret_key",)}
    given |= {"database_url": settings.sqlalchemy_url, "registration_webhook_url": receiver.url}
    env = {f"GATEWRIGHT_{name.upper()}": str(value) for name, value in given.items()}
    command = [sys.executable, "-c", "from app.cli import main; main()", "worker"]

    with started(command, ready=lambda: receiver.requests, env=env, cwd=ROOT) as process:
        process.kill()
        process.wait(10)
    killed.set()
    with app.app_context():
        assert jobs.claim() is None
        db.session.execute(update(jobs.Job).values(lease_until=0))  # as if a minute had passed
        db.session.commit()
    done = lambda: deliveries(app)[0].state == "delivered"  # noqa: E731
    with started(command, ready=done, env=env, cwd=ROOT) as process:
        process.terminate()
        assert process.wait(10) == 0

    first, second = receiver.heads
    assert first["webhook-id"] == second["webhook-id"]
    assert receiver.bodies[0] == receiver.bodies[1]


def test_an_endpoint_of_the_console_is_a_stranger_s_and_has_its_own_secret(
    app, scripts, clock, monkeypatch
):
    monkeypatch.setattr(webhooks, "OVERLAP_SECONDS", 60)
    receiver = scripts(ALLOWED)
    with app.app_context():
        key = current_key("webhook secrets")
        url = receiver.url.replace("/gate", "/hook")
        row, secret = webhooks.create(url, key, by=GRACE, events=["client.registered"])
        webhooks.create("https://hook.example/", key, by=GRACE, events=["policy.changed"])
        newer = webhooks.rotate(row, key, by=GRACE)
        db.session.commit()
    register(app)
    work(app)
    assert [(each.state, each.failure) for each in deliveries(app)] == [("waiting", "scheme")]

    app.extensions["gatewright.outbound"].allow = frozenset({f"127.0.0.1:{receiver.port}"})
    clock.advance(12)
    work(app)
    for each in (secret, newer):
        assert Webhook(each).verify(receiver.bodies[0], receiver.heads[0])
    clock.advance(60)
    register(app)
    work(app)
    assert Webhook(newer).verify(receiver.bodies[1], receiver.heads[1])
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(receiver.bodies[1], receiver.heads[1])


def test_nothing_is_kept_of_an_answer_that_quotes_our_credential(telling, scripts):
    receiver = scripts(said(500, {"you sent": TOKEN}))
    app = telling(receiver.url, auth_token=TOKEN)
    register(app)
    work(app)

    assert (deliveries(app)[0].status, deliveries(app)[0].answer) == (500, "")


def test_an_endpoint_that_is_away_too_long_loses_events_and_they_are_counted(telling, monkeypatch):
    monkeypatch.setattr(announcements, "MOST_WAITING", 2)
    app = telling(f"http://127.0.0.1:{free_port()}/")
    for number in range(4):
        register(app, client_name=f"Probe {number}")

    with app.app_context():
        assert jobs.counts() == {(webhooks.ENVIRONMENT, "waiting"): 2}
        assert webhooks.get(webhooks.ENVIRONMENT).lost == 2


def test_an_endpoint_that_is_switched_off_gets_nothing_more(telling, scripts):
    receiver = scripts(ALLOWED)
    app = telling(receiver.url)
    register(app)
    with app.app_context():
        webhooks.switch(webhooks.get(webhooks.ENVIRONMENT), "off", by=GRACE)
        db.session.commit()
    register(app, client_name="Another")

    assert (work(app), receiver.requests) == (1, [])
    assert [(each.state, each.failure) for each in deliveries(app)] == [("dead", "off")]


def test_an_approval_that_ends_soon_is_told_once(telling, scripts, clock):
    receiver = scripts(ALLOWED)
    app = telling(receiver.url)
    register(app)
    with app.app_context():
        row = software.find_page("pending", size=1)[0]
        until = clock.now + 30 * 86400
        decisions.approve(row.id, row.revision, by=GRACE, allowed=[], until=until)
        db.session.commit()
        told = []
        for _ in range(4):
            told += [name for name in worker.hourly(app) if name == "reminders"]
            clock.advance(12 * 86400)

    work(app)
    kinds = [json.loads(body)["type"] for body in receiver.bodies]
    assert (len(told), kinds.count("software.ending")) == (4, 1)


def test_what_a_defect_keeps_from_being_sent_is_given_up_and_sent_again_like_all_else(
    telling, scripts, monkeypatch, clock
):
    receiver = scripts(ALLOWED)
    app = telling(receiver.url)
    register(app)
    with monkeypatch.context() as broken, structlog.testing.capture_logs() as lines:
        broken.setattr(worker.sender, "send", lambda *_: 1 / 0)
        while work(app) or deliveries(app)[0].state == "waiting":
            clock.advance(6 * 3600)
    assert {line["event"] for line in lines if line["log_level"] == "error"} == {"job_failed"}
    assert (deliveries(app)[0].state, deliveries(app)[0].failure) == ("dead", "defect")

    with app.app_context():
        webhooks.redeliver(webhooks.get_delivery(deliveries(app)[0].id), by=GRACE)
        db.session.commit()
    assert work(app) == 1
    assert deliveries(app)[0].state == "delivered"


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
