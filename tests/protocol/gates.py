"""Apps of a test's database that ask a registration gate, and what those it refuses are told.

Test files import its fixtures ``scripts``, ``gated`` and ``stored``.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings, load
from app.domain import client_records
from app.extensions import db
from app.outbound import limits
from app.outbound.client import Answer
from tests.conftest import Clock
from tests.protocol.persons import new_http
from tests.services.gate import ScriptedServer, scripted

KEY = "c4n4ry-0123456789-key"
SECRET = "c4n4ry-0123456789-secret"
ADMIT_ALL: dict[str, Any] = {"name": "all", "outcome": "admit", "when": {"source": "dcr"}}
OAUTH2 = {
    "auth_type": "oauth2_client_credentials",
    "oauth2_client_id": "gatewright",
    "oauth2_client_secret": SECRET,
}


@pytest.fixture
def scripts() -> Iterator[Callable[..., ScriptedServer]]:
    """Return a function that starts a gate or a token endpoint."""
    with scripted() as start:
        yield start


@pytest.fixture
def gated(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., FlaskClient]]:
    """Return a function that gives a connection to an app of this database that asks a gate.

    The gate is asked with no transaction open and no connection taken from the pool; nobody
    really sleeps between attempts.
    """
    monkeypatch.setattr(limits, "pause", lambda _seconds: None)
    made: list[Flask] = []

    def start(url: str, *, timeout_seconds: float = 5, **changes: Any) -> FlaskClient:
        values = {"enabled": True, "url": url} | changes
        named = {f"registration_gate_{name}": value for name, value in values.items()}
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        asking = create_app(load(**given | named))
        asking.testing = True
        made.append(asking)
        gate = asking.extensions["gatewright.gate"]
        gate.access = replace(gate.access, timeout_seconds=timeout_seconds)
        trusted = gate.outbound.trusted

        def alone(*arguments: Any, **options: Any) -> Answer:
            assert not db.session().in_transaction()
            assert db.engine.pool.checkedout() == 0
            return trusted(*arguments, **options)

        gate.outbound.trusted = alone
        return new_http(asking)

    yield start
    for each in made:
        with each.app_context():
            db.engine.dispose()


@pytest.fixture
def stored(app: Flask) -> Callable[[Clock], list[str]]:
    """Return a function that counts the clients by their standing."""

    def count(clock: Clock) -> list[str]:
        with app.app_context():
            found = db.session.scalars(db.select(client_records.Client.client_id)).all()
            return [str(client_records.load(each).standing(clock.now)) for each in found]

    return count


def refusal_of(answer: TestResponse) -> str:
    """Return what a refused registration is told."""
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (403, "access_denied")
    return body["error_description"]
