"""What an identity provider outside says of people at apps of this server (ID-JAG)."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain import credentials, federated_identities, grant_types
from app.domain.audit import SERVER, Actor
from app.domain.identity_assertions import TYPE
from app.extensions import db
from tests.conftest import ISSUER as OURS
from tests.protocol import machines
from tests.protocol.machines import RESOURCE, Machine
from tests.protocol.persons import Person
from tests.protocol.providers import ISSUER, Provider
from tests.protocol.vendors import KEYS, jws

DATES = ("exp", "iat", "nbf", "auth_time")
GRANTS = [grant_types.ASSERTION, "authorization_code", "refresh_token"]


def claims(machine: Machine, **changes: Any) -> dict[str, Any]:
    """Return what is said of Pia; None leaves a claim out, a date is counted from now."""
    said = {
        "iss": ISSUER,
        "sub": "pia-there",
        "aud": OURS,
        "client_id": machine.client_id,
        "jti": credentials.new_id(),
        "exp": 300,
        "iat": 0,
        "resource": RESOURCE,
        "scope": "mcp:read",
    } | changes
    now = int(time.time())
    dated = {name: now + said[name] for name in DATES if type(said.get(name)) in (int, float)}
    return {name: value for name, value in (said | dated).items() if value is not None}


def assertion(
    machine: Machine, header: dict[str, Any] | None = None, key: Any = None, **changes: Any
) -> str:
    """Sign an assertion; keywords change its claims, ``header`` its header."""
    head = {"alg": "ES256", "typ": TYPE, "kid": "ES256"} | (header or {})
    kept = {name: value for name, value in head.items() if value is not None}
    return jws(kept, claims(machine, **changes), key or KEYS[head["alg"]], head["alg"])


def bring(machine: Machine, text: str | None, **parameters: Any) -> TestResponse:
    """Ask for a token by an assertion."""
    wanted = {"grant_type": grant_types.ASSERTION, "assertion": text}
    return machine.post("/token", **wanted | parameters)


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"id_jag_enabled": True}


@pytest.fixture
def act(app: Flask) -> Callable[..., Any]:
    """Return a function that runs a verb of the domain and commits."""

    def run(verb: Callable[..., Any], *subject: Any, by: Actor = SERVER) -> Any:
        with app.app_context():
            result = verb(*subject, by=by)
            db.session.commit()
            return result

    return run


@pytest.fixture
def provider(app: Flask) -> Provider:
    """Return a provider that may vouch for people."""
    return Provider(app).attach(title="Acme staff", vouches=True)


@pytest.fixture
def agent(app: Flask, client: FlaskClient, provider: Provider) -> Machine:
    """Return a client that operators let act on the word of providers."""
    named = {"grant_types": GRANTS, "redirect_uris": [machines.REDIRECT], "client_name": "Agent"}
    return machines.create(app, client, **named)


def link(user_id: str, subject: str = "pia-there", *, by: Actor) -> None:
    """Link somebody of the provider to an account."""
    federated_identities.link(
        user_id, issuer=ISSUER, subject=subject, provider="acme", made_account=False, by=by
    )


@pytest.fixture
def pia(act: Callable[..., Any], person: Person) -> Person:
    """Return somebody whose account here is linked to the one at the provider."""
    act(link, person.user_id)
    return person


def got(response: TestResponse) -> str:
    """Return the access token of an answer."""
    assert response.status_code == 200, response.text
    return response.get_json()["access_token"]
