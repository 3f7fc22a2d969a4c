"""One app for all rows of a corpus, once per kind of database; its clients only pile up."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import load
from app.domain import scopes, signing_keys
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER, SECRET_KEY
from tests.protocol.persons import new_http
from tests.protocol.registrants import Operator
from tests.services.postgres import Postgres


@dataclass(frozen=True)
class Standing:
    """An app that stands for a whole test file, and a connection to it."""

    app: Flask
    http: FlaskClient

    @property
    def operator(self) -> Operator:
        """Return somebody who decides."""
        return Operator(self.app)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Return the URL of a migrated database that a test file shares."""
    if request.param == "sqlite":
        copy = tmp_path_factory.mktemp("standing") / "standing.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), copy)
        yield f"sqlite:///{copy}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"standing_{uuid4().hex}"
    yield server.create(name, request.getfixturevalue("postgres_template"))
    server.drop(name)


@pytest.fixture(scope="module")
def standing(standing_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """Return an app over that database, with a key and two scopes."""
    values = {
        "issuer": ISSUER,
        "database_url": standing_url,
        "secret_key": SECRET_KEY,
        "data_dir": tmp_path_factory.mktemp("data"),
        "rate_limit_enabled": False,
        "password_memory_kib": 19456,
    }
    app = create_app(load(**values))
    app.testing = True
    with app.app_context():
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        scopes.create("mcp:read", "Read your notes", by=SERVER)
        scopes.create("mcp:write", "Change your notes", risk="high", by=SERVER)
        scopes.create("mcp:tools", "Use the tools", risk="high", by=SERVER)
        db.session.commit()
    yield Standing(app, new_http(app))
    with app.app_context():
        db.engine.dispose()
