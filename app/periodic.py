"""Owns what `gatewright serve` does by itself: the clean-up, once an hour, by one process."""

from threading import Event, Thread

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.domain import sweeps, turns
from app.domain.audit import SERVER
from app.extensions import db

log = structlog.get_logger()
EVERY_SECONDS = 3600
LOOK_SECONDS = 300
"""So often each process looks whether an hour is over."""


def start(app: Flask) -> Event:
    """Begin to look, in a thread of this process; setting the event ends it."""
    stop = Event()
    Thread(target=keep_looking, args=(app, stop), name="clean-up", daemon=True).start()
    return stop


def keep_looking(app: Flask, stop: Event) -> None:
    """Clean up whenever it is this process's turn; a lost database is asked again later."""
    while not stop.wait(LOOK_SECONDS):
        try:
            with app.app_context():
                run(app)
        except SQLAlchemyError as fault:
            log.warning("clean_up_failed", kind=type(fault).__name__)


def run(app: Flask) -> bool:
    """Clean up if an hour is over and no other process was faster; tell whether."""
    ours = turns.take("clean-up", EVERY_SECONDS)
    db.session.commit()
    if not ours:
        return False
    settings: Settings = app.extensions["gatewright.settings"]
    while any((done := sweeps.sweep(settings.sweep_rules, by=SERVER)).values()):
        db.session.commit()
        log.info("cleaned_up", **done)
    db.session.commit()
    return True
