"""Owns background work: jobs as they fall due; clean-up, reminders and key rotation by the hour."""

import time
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.config import Settings, current_key
from app.domain import (
    announcements,
    client_records,
    decisions,
    errors,
    generations,
    jobs,
    key_rotation,
    logout_tokens,
    session_clients,
    signing_keys,
    subjects,
    sweeps,
    turns,
    webhooks,
)
from app.domain.audit import SERVER
from app.domain.client_records import Standing
from app.domain.jobs import Claim
from app.domain.webhooks import Outcome
from app.extensions import db
from app.outbound import logouts
from app.outbound import webhooks as sender

log = structlog.get_logger()
PLACES = 4
"""So many jobs a process does at once."""
PLACES_OF_CLIENTS = 2
"""And so many of them by calling clients, which are strangers."""
POLL_SECONDS = 1.0
LOOK_SECONDS = 60
"""So often each process looks whether an hour is over."""
HOUR = 3600
STOPPING_SECONDS = 30
"""How long running jobs may take to end when the worker is stopped."""


class Worker:
    """Does the background work of one process; any number of processes share the work."""

    def __init__(self, app: Flask) -> None:
        """Do nothing yet."""
        self.app, self.stop = app, Event()
        self.threads: list[Thread] = []
        self.look_at = time.monotonic()

    def start(self) -> None:
        """Work in a thread of this process, which ends with it."""
        Thread(target=self.run, name="worker", daemon=True).start()

    def run(self) -> None:
        """Work until ``stop`` is set; a lost database is asked again later."""
        while not self.stop.is_set():
            try:
                busy = self.take_turn()
            except SQLAlchemyError as fault:
                log.warning("worker_failed", kind=type(fault).__name__)
                busy = False
            if not busy:
                self.stop.wait(POLL_SECONDS)

    def wait(self) -> None:
        """Wait for what was begun; what does not end is done again by another process."""
        until = time.monotonic() + STOPPING_SECONDS
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))

    def take_turn(self) -> bool:
        """Begin the next job in a thread of its own; False when there is none, or no place."""
        if time.monotonic() >= self.look_at:
            self.look_at = time.monotonic() + LOOK_SECONDS
            self.begin(lambda: hourly(self.app))
        with self.app.app_context():
            claim = jobs.claim(self.crowded) if self.free else None
            db.session.commit()
        if claim is None:
            return False
        self.begin(lambda: do(self.app, claim), claim.kind)
        return True

    @property
    def free(self) -> int:
        """Return how many places are free; only ``begin`` takes them, so they stay free."""
        return PLACES - sum(thread.is_alive() for thread in self.threads)

    @property
    def crowded(self) -> str:
        """Return the kind of job that has its places already: calls of clients, who may hang."""
        calls = sum(each.is_alive() and each.name == session_clients.KIND for each in self.threads)
        return session_clients.KIND if calls >= PLACES_OF_CLIENTS else ""

    def begin(self, work: Callable[[], object], name: str = "job") -> None:
        """Do something in a thread of its own."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        thread = Thread(target=self.work_off, args=(work,), name=name, daemon=True)
        self.threads.append(thread)
        thread.start()

    def work_off(self, work: Callable[[], object]) -> None:
        """Do something in an application context; what a lost database interrupts comes again."""
        try:
            with self.app.app_context():
                work()
        except SQLAlchemyError as fault:
            log.warning("worker_failed", kind=type(fault).__name__)


def do(app: Flask, claim: Claim) -> None:
    """Do one job and keep what became of it; what a defect interrupts has failed like any other."""
    if claim.kind not in HANDLERS:
        log.error("job_unknown", kind=claim.kind, job=claim.id)
        jobs.fail(claim)
        db.session.commit()
        return
    attempt, note = HANDLERS[claim.kind]
    try:
        outcome = attempt(app, claim)
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("job_failed", kind=claim.kind, job=claim.id)
        outcome = Outcome("defect")

    db.session.rollback()
    state = jobs.fail(claim, final=outcome.final) if outcome.failure else jobs.finish(claim)
    if state:
        note(claim.payload, outcome, state)
    db.session.commit()


def deliver(app: Flask, claim: Claim) -> Outcome:
    """Send an event to its endpoint, with no transaction open meanwhile."""
    settings: Settings = app.extensions["gatewright.settings"]
    sealing_key = app.extensions["gatewright.keys"]["webhook secrets"]
    shipment = webhooks.shipment(claim.payload, sealing_key)
    db.session.rollback()
    if shipment is None:
        return Outcome("off", final=True)

    access = sender.Access(
        settings.registration_webhook_timeout_seconds,
        settings.webhook_headers,
        settings.webhook_keys,
    )
    outcome = sender.send(app.extensions["gatewright.outbound"], access, shipment)
    log.info("webhook", failure=outcome.failure, status=outcome.status, attempts=claim.attempts)
    return outcome


def tell_logout(app: Flask, claim: Claim) -> Outcome:
    """Tell a client that a session has ended, with no transaction open meanwhile."""
    settings: Settings = app.extensions["gatewright.settings"]
    client = client_records.load(claim.payload["client_id"])
    sealing_key = app.extensions["gatewright.keys"]["signing keys"]
    keys = signing_keys.current(sealing_key, generations.read()["keys"])
    db.session.rollback()
    url = client.openid.backchannel_logout_uri if client is not None else None
    if client is None or url is None or client.standing(clock.epoch()) is not Standing.ACTIVE:
        return Outcome("off", final=True)

    token = logout_tokens.mint(
        keys,
        settings.issuer,
        client_id=client.client_id,
        subject=subjects.of(
            claim.payload["user_id"],
            client.openid.sector,
            app.extensions["gatewright.keys"]["pairwise subjects"],
        ),
        sid=claim.payload["sid"],
        algorithm=client.openid.id_token_algorithm,
    )
    outcome = logouts.send(app.extensions["gatewright.outbound"], url, token)
    log.info("logout", failure=outcome.failure, status=outcome.status, attempts=claim.attempts)
    return outcome


Attempt = Callable[[Flask, Claim], Outcome]
Note = Callable[[Mapping[str, Any], Outcome, str], None]
HANDLERS: dict[str, tuple[Attempt, Note]] = {
    announcements.KIND: (deliver, webhooks.note),
    session_clients.KIND: (tell_logout, logout_tokens.note),
}
"""Who does which kind of job, and who keeps what became of it."""


def hourly(app: Flask) -> list[str]:
    """Do what is due once an hour, unless another process was faster; return what was done."""
    done = []
    turns.take(turns.LOOK, LOOK_SECONDS)
    for name, work in PERIODIC:
        ours = turns.take(name, HOUR)
        db.session.commit()
        if ours:
            work(app.extensions["gatewright.settings"])
            done.append(name)
    return done


def clean_up(settings: Settings) -> None:
    """Sweep until there is nothing more to sweep."""
    while any((done := sweeps.sweep(settings.sweep_rules, by=SERVER)).values()):
        db.session.commit()
        log.info("cleaned_up", **done)
    db.session.commit()


def remind(settings: Settings) -> None:
    """Tell of approvals that end soon."""
    while decisions.remind(settings.reminder_days, by=SERVER):
        db.session.commit()
    db.session.commit()


def rotate_keys(settings: Settings) -> None:
    """Rotate the signing keys when their days are over; what prevents it is for the operators."""
    days = settings.key_rotation_days
    try:
        kids = key_rotation.rotate_when_due(current_key("signing keys"), days, by=SERVER)
    except errors.Conflict as refusal:
        db.session.rollback()
        log.error("keys_not_rotated", reason=str(refusal.description))
        return
    db.session.commit()
    if kids:
        log.info("keys_rotated", **kids)


PERIODIC = (("clean-up", clean_up), ("reminders", remind), ("key rotation", rotate_keys))
"""What is done once an hour, in this order."""
