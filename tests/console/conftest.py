"""What console tests share: browsers of signed-in operators, their CSRF token, and arrivals."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain import users
from app.domain.audit import SERVER
from app.domain.passwords import Passwords
from app.extensions import db

PASSWORD = "long enough for everybody"
TOKEN = re.compile(r'name="csrf(?:_token|-token)" (?:value|content)="([^"]+)"')

Register = Callable[..., dict[str, Any]]


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


@pytest.fixture
def register(client: FlaskClient) -> Register:
    """Return a function that registers a client as a stranger; gives the 201 body."""

    def arrive(**metadata: Any) -> dict[str, Any]:
        body = {"client_name": "Probe", "redirect_uris": ["https://client.example/cb"]}
        answer = client.post("/register", json=body | metadata)
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    return arrive


def csrf_of(page: str) -> str:
    """Return the CSRF token in a page."""
    found = TOKEN.search(page)
    assert found is not None, "the page carries no CSRF token"
    return found[1]
