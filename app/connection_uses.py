"""Owns the use of connections by an application: its token managers, and noting when they help."""

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from app import own_assertions
from app.domain import connections
from app.extensions import db
from app.outbound import connection_trials, shared_tokens
from app.outbound.connection_tokens import Held, Managers, Note
from app.outbound.connection_trials import Trial

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    """Hold the token managers of the connections."""
    settings, keys = app.extensions["gatewright.settings"], app.extensions["gatewright.keys"]
    app.extensions["gatewright.connections"] = Managers(
        app.extensions["gatewright.outbound"],
        keys["connections"],
        settings.connections,
        sign=own_assertions.signer(app),
        note=noter(app),
        shared=shared_tokens.of_settings(settings, keys["shared tokens"]),
    )


def managers() -> Managers:
    """Return the token managers of the application in use."""
    found: Managers = current_app.extensions["gatewright.connections"]
    return found


def attempt(held: Held) -> Trial:
    """Get a new token that nobody uses; no transaction may be open meanwhile."""
    found = current_app.extensions
    return connection_trials.make(found["gatewright.outbound"], found["gatewright.key_sets"], held)


def noter(app: Flask) -> Note:
    """Return what notes the use of a connection, in a transaction of its own.

    A token is no worse because the database could not keep the date.
    """

    def note(connection_id: str, token_expires_at: int) -> None:
        """Note that a token is used, and when it ends."""
        try:
            with app.app_context():
                connections.note_use(connection_id, token_expires_at)
                db.session.commit()
        except SQLAlchemyError as error:
            log.warning("connection_use_not_noted", kind=type(error).__name__)

    return note
