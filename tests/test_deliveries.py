"""Events reach their endpoints in the end."""

import json
import sys
from threading import Event

import pytest
import structlog
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app import worker
from app.config import current_key
from app.domain import announcements, decisions, jobs, software, webhooks
from app.domain.audit import Actor
from app.extensions import db
from tests.jobs_done import deliveries, register, work
from tests.jobs_done import scripts as scripts
from tests.jobs_done import telling as telling
from tests.services.gate import ALLOWED, said
from tests.services.gunicorn import ROOT
from tests.services.process import free_port, started

GRACE = Actor("operator", "u-1", "grace@people.example")
TOKEN = "c4n4ry-0123456789-token"
SECRETS = [f"whsec_{letter * 32}" for letter in "AB"]
REFUSED = said(500, {"error": "later"})


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
