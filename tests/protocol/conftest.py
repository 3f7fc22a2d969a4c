"""The cast of this door: an app with keys, scopes and a resource; clients; people."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from app.domain import client_records, policy_versions, resources, rules, scopes, signing_keys
from app.domain.audit import SERVER, AuditEvent
from app.domain.client_records import ClientRecord
from app.extensions import db
from tests.protocol import machines, persons
from tests.protocol.machines import LOOPBACK, RESOURCE, SCOPES, Machine
from tests.protocol.persons import PASSWORD, Person
from tests.protocol.registrants import Registrant


@pytest.fixture
def app(app: Flask) -> Flask:
    """Return the app with a signing key, two scopes and a resource in its catalogue."""
    with app.app_context():
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        scopes.create("mcp:read", "Read your notes", risk="low", by=SERVER)
        scopes.create("mcp:write", "Change your notes", risk="high", by=SERVER)
        resources.create(RESOURCE, "Notes", SCOPES.split(), by=SERVER)
        db.session.commit()
    return app


@pytest.fixture
def register(app: Flask, client: FlaskClient) -> Callable[..., Machine]:
    """Return a function that registers and approves a client; keywords change its metadata."""
    return lambda **changes: machines.register(app, client, **changes)


@pytest.fixture
def public(register: Callable[..., Machine]) -> Machine:
    """Return an active public client."""
    return register()


@pytest.fixture
def native(register: Callable[..., Machine]) -> Machine:
    """Return an active public client on the end-user's own machine."""
    return register(client_name="Native Client", redirect_uris=[LOOPBACK])


@pytest.fixture
def confidential(register: Callable[..., Machine]) -> Machine:
    """Return an active client that authenticates by HTTP Basic and may also act for itself."""
    return register(
        client_name="Confidential Client",
        token_endpoint_auth_method="client_secret_basic",
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
    )


@pytest.fixture
def posting(register: Callable[..., Machine]) -> Machine:
    """Return an active client that sends its secret in the body."""
    return register(client_name="Posting Client", token_endpoint_auth_method="client_secret_post")


@pytest.fixture
def relying(register: Callable[..., Machine]) -> Machine:
    """Return an active client that signs people in and may ask who they are."""
    return register(
        client_name="Relying Party",
        scope=f"openid profile email address phone offline_access {SCOPES}",
    )


@pytest.fixture
def pending(register: Callable[..., Machine]) -> Machine:
    """Return a public client that waits for approval, with a web and a loopback redirect."""
    return register(
        approve=False,
        client_name="Pending Client",
        redirect_uris=["https://pending.example/cb", LOOPBACK],
    )


@pytest.fixture
def resource_server(app: Flask, client: FlaskClient) -> Machine:
    """Return a client that may introspect the tokens of the resource."""
    return machines.create(app, client, introspects=(RESOURCE,))


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Return the hash of everybody's password, with the parameters of the tests' settings."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(PASSWORD)


@pytest.fixture
def enrol(app: Flask, password_hash: str) -> Callable[..., Person]:
    """Return a function that makes an account."""
    return lambda email, role="member": persons.enrol(app, email, role, password_hash)


@pytest.fixture
def person(enrol: Callable[..., Person]) -> Person:
    """Return somebody with an account, who is not signed in yet."""
    return enrol("ada@people.example")


@pytest.fixture
def approver(enrol: Callable[..., Person]) -> Person:
    """Return somebody who may decide about software."""
    return enrol("grace@people.example", "approver")


@pytest.fixture
def audited(app: Flask) -> Callable[..., list[Any]]:
    """Return a function that gives the audit events with a tag, oldest first."""

    def events(tag: str) -> list[Any]:
        with app.app_context():
            query = db.select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)
            return list(db.session.scalars(query))

    return events


@pytest.fixture
def put_in_force(app: Flask) -> Callable[..., None]:
    """Return a function that puts rules in force, written as in a policy file."""

    def save(*written: dict[str, Any]) -> None:
        with app.app_context():
            seen = policy_versions.in_force().number
            policy_versions.save(rules.all_from_json(written), seen, by=SERVER)
            db.session.commit()

    return save


@pytest.fixture
def record(app: Flask) -> Callable[[Registrant], ClientRecord | None]:
    """Return a function that reads what the endpoints know of a client."""

    def read(registrant: Registrant) -> ClientRecord | None:
        with app.app_context():
            return client_records.load(registrant.client_id)

    return read


@pytest.fixture
def written_log(app: Flask) -> io.StringIO:
    """Return what the app writes to its log from now on."""
    written = io.StringIO()
    factory = structlog.WriteLoggerFactory(file=written)
    structlog.configure(**structlog.get_config() | {"logger_factory": factory})
    return written
