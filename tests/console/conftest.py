"""What console tests share: browsers of operators, forms, and things for them to decide about."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain import audit, clients, decisions, resources, scopes, signing_keys, software, users
from app.domain.audit import SERVER, AuditEvent, Filters
from app.domain.client_records import Client
from app.domain.grants import Grant
from app.domain.passwords import Passwords
from app.domain.software import Software
from app.extensions import db
from tests.console.events import record as record
from tests.console.events import trail as trail
from tests.console.matrix import become
from tests.console.rules import in_force as in_force
from tests.console.rules import policy as policy
from tests.console.rules import save as save

PASSWORD = "long enough for everybody"
TOKEN = re.compile(r'name="csrf(?:_token|-token)" (?:value|content)="([^"]+)"')

Register = Callable[..., dict[str, Any]]
Send = Callable[..., TestResponse]


class Known:
    """Hashes the one password of the tests; the hash is made once."""

    @staticmethod
    @cache
    def hash(password: str) -> str:
        """Return the hash that every account of the tests has."""
        return Passwords(19456, 1).hash(password)


@pytest.fixture
def people(app: Flask) -> dict[str, str]:
    """Create an account for each role; return the identifiers by role."""
    with app.app_context():
        made = {
            role: users.create(f"{role}@example.org", role, PASSWORD, Known(), by=SERVER).id
            for role in users.ROLES
        }
        db.session.commit()
    return made


@pytest.fixture
def sign_in(
    app: Flask, client: FlaskClient, people: dict[str, str]
) -> Callable[[str], FlaskClient]:
    """Return a function that signs the account of a role in, in a browser of its own."""

    def start(role: str) -> FlaskClient:
        browser = app.test_client()
        browser.environ_base.update(client.environ_base)
        form = {
            "csrf_token": csrf_of(browser.get("/login").text),
            "username": f"{role}@example.org",
            "password": PASSWORD,
        }
        answer = browser.post("/login", data=form)
        assert answer.status_code == 303
        return browser

    return start


@pytest.fixture
def member(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """Return the browser of somebody who is no operator."""
    return sign_in("member")


@pytest.fixture
def viewer(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """Return the browser of an operator who may only look."""
    return sign_in("viewer")


@pytest.fixture
def approver(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """Return the browser of an operator who may decide about software."""
    return sign_in("approver")


@pytest.fixture
def admin(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    """Return the browser of an operator who may do everything."""
    return sign_in("admin")


@pytest.fixture
def csrf() -> Callable[[FlaskClient], str]:
    """Return a function that reads the CSRF token of a signed-in browser from a page."""
    return lambda browser: csrf_of(browser.get("/admin/").text)


@pytest.fixture(params=users.ROLES)
def anybody(
    request: pytest.FixtureRequest,
    app: Flask,
    admin: FlaskClient,
    people: dict[str, str],
    csrf: Callable[[FlaskClient], str],
) -> tuple[FlaskClient, str, str]:
    """Return browser, CSRF token and role of somebody, who had another role when signing in."""
    token = csrf(admin)
    become(app, people["admin"], request.param)
    return admin, token, request.param


@pytest.fixture
def send(csrf: Callable[[FlaskClient], str]) -> Send:
    """Return a function that sends a form with the token of the browser's session."""
    return lambda browser, path, **fields: browser.post(
        path, data={"csrf_token": csrf(browser)} | fields
    )


@pytest.fixture
def register(client: FlaskClient) -> Register:
    """Return a function that registers a client as a stranger; gives the 201 body."""

    def arrive(**metadata: Any) -> dict[str, Any]:
        body = {"client_name": "Probe", "redirect_uris": ["https://client.example/cb"]}
        answer = client.post("/register", json=body | metadata)
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    return arrive


@pytest.fixture
def find(app: Flask) -> Callable[..., Software]:
    """Return a function that reads software by its name."""

    def by_name(name: str = "Probe") -> Software:
        with app.app_context():
            for status in software.STATUSES:
                for row in software.find_page(status, size=100):
                    if row.name == name:
                        return row
        raise AssertionError(f"no software is called {name}")

    return by_name


@pytest.fixture
def catalogue(app: Flask) -> None:
    """Describe two scopes and two resources."""
    with app.app_context():
        scopes.create("tools", "Use tools", by=SERVER, risk="medium", is_default=True)
        scopes.create("write", "Change things", by=SERVER, risk="high")
        for host in ("one", "two"):
            resources.create(f"https://{host}.example/", host, ["tools", "write"], by=SERVER)
        db.session.commit()


@pytest.fixture
def approve(app: Flask) -> Callable[..., None]:
    """Return a function that approves the software of a client for a scope."""

    def decide(client_id: str, **more: Any) -> None:
        with app.app_context():
            scopes.create("tools", "Use tools", by=SERVER)
            row = software.get(clients.get(client_id).software_id)
            decisions.approve(row.id, row.revision, by=SERVER, allowed=["tools"], **more)
            db.session.commit()

    return decide


@pytest.fixture
def stored(app: Flask) -> Callable[[str], Client]:
    """Return a function that reads the row of a client."""

    def read(client_id: str) -> Client:
        with app.app_context():
            return db.session.get(Client, client_id)

    return read


@pytest.fixture
def grant(app: Flask, people: dict[str, str]) -> Callable[[str, int], None]:
    """Return a function that lets the member allow a client something, under a number."""

    def give(client_id: str, number: int) -> None:
        with app.app_context():
            db.session.add(
                Grant(
                    id=f"grant-{number}",
                    client_id=client_id,
                    user_id=people["member"],
                    scopes=["tools"],
                    resources=["https://one.example/"],
                    auth_time=1,
                    created_at=1,
                    expires_at=2**40,
                    last_used_at=1,
                )
            )
            db.session.commit()

    return give


@pytest.fixture
def signing_key(app: Flask) -> None:
    """Make the first key as start-up does."""
    with app.app_context():
        signing_keys.ensure(app.extensions["gatewright.keys"]["signing keys"], by=SERVER)
        db.session.commit()


@pytest.fixture
def happened(app: Flask) -> Callable[[str], list[AuditEvent]]:
    """Return a function that reads the events with a tag, newest first."""

    def events(tag: str) -> list[AuditEvent]:
        with app.app_context():
            return list(audit.find_page(Filters(tag=tag), size=100))

    return events


def csrf_of(page: str) -> str:
    """Return the CSRF token in a page."""
    found = TOKEN.search(page)
    assert found is not None, "the page carries no CSRF token"
    return found[1]
