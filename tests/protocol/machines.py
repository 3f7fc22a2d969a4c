"""Clients as tests use them: what they know about themselves, and how they call the endpoints."""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config import current_key
from app.domain import (
    admissions,
    assertion_secrets,
    client_metadata,
    decisions,
    grant_types,
    policies,
    software,
)
from app.domain.audit import SERVER
from app.domain.client_metadata import MetadataRules
from app.extensions import db

REDIRECT = "https://client.example/cb"
LOOPBACK = "http://127.0.0.1:49152/cb"
RESOURCE = "https://api.example/mcp"
SCOPES = "mcp:read mcp:write"
FORM = "application/x-www-form-urlencoded"


class Pkce(NamedTuple):
    """A verifier and its S256 challenge."""

    verifier: str
    challenge: str


def pkce(verifier: str | None = None) -> Pkce:
    """Return a new pair, or the one of a given verifier."""
    chosen = verifier or secrets.token_urlsafe(32)
    hashed = hashlib.sha256(chosen.encode()).digest()
    return Pkce(chosen, base64.urlsafe_b64encode(hashed).rstrip(b"=").decode())


PROOF = pkce("tests-only-verifier-0123456789-0123456789-0123")
"""The pair of every authorization request that does not bring its own."""


def form(parameters: Mapping[str, Any]) -> str:
    """Encode parameters; None leaves one out, a list repeats it."""
    return urlencode({k: v for k, v in parameters.items() if v is not None}, doseq=True)


@dataclass(frozen=True)
class Machine:
    """A client: its credentials and the connection it calls the server with."""

    http: FlaskClient
    client_id: str
    method: str = "none"
    secret: str | None = None
    registration_token: str | None = None
    redirect_uri: str = REDIRECT

    @property
    def basic(self) -> dict[str, str]:
        """Return the header of HTTP Basic, both halves form-encoded."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret or '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def post(
        self, path: str, /, headers: Mapping[str, str] = {}, **parameters: Any
    ) -> TestResponse:
        """Call an endpoint with this client's own authentication unless the parameters differ."""
        headers = (self.basic if self.method == "client_secret_basic" else {}) | dict(headers)
        if self.method != "client_secret_basic":
            parameters = {"client_id": self.client_id} | parameters
        if self.method == "client_secret_post":
            parameters = {"client_secret": self.secret} | parameters
        return send(self.http, path, parameters, headers)

    def redeem(self, code: str, /, **changes: Any) -> TestResponse:
        """Exchange a code that was asked for with ``asking``."""
        wanted = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": PROOF.verifier,
        }
        return self.post("/token", **(wanted | changes))

    def refresh(self, token: str, /, **changes: Any) -> TestResponse:
        """Exchange a refresh token."""
        wanted = {"grant_type": "refresh_token", "refresh_token": token}
        return self.post("/token", **(wanted | changes))

    def introspect(self, token: str, /, **changes: Any) -> TestResponse:
        """Ask about a token."""
        return self.post("/introspect", **({"token": token} | changes))

    def revoke(self, token: str, /, **changes: Any) -> TestResponse:
        """End a token."""
        return self.post("/revoke", **({"token": token} | changes))

    def wanted(self, **changes: Any) -> dict[str, Any]:
        """Return an authorization request."""
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": "a state",
            "resource": RESOURCE,
            "code_challenge": PROOF.challenge,
            "code_challenge_method": "S256",
        } | changes

    def asking(self, **changes: Any) -> str:
        """Return the path of an authorization request."""
        return f"/authorize?{form(self.wanted(**changes))}"

    def push(self, headers: Mapping[str, str] = {}, **changes: Any) -> TestResponse:
        """Push an authorization request."""
        return self.post("/par", headers, **self.wanted(**changes))

    def pushed(self, **changes: Any) -> str:
        """Push an authorization request; return the path that brings its reference."""
        response = self.push(**changes)
        assert response.status_code == 201, response.text
        reference = response.get_json()["request_uri"]
        return f"/authorize?{form({'client_id': self.client_id, 'request_uri': reference})}"

    def at(self, redirect_uri: str) -> "Machine":
        """Return the same client at another of its redirect URIs."""
        return replace(self, redirect_uri=redirect_uri)


def send(
    http: FlaskClient, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str] = {}
) -> TestResponse:
    """Post a form."""
    return http.post(path, data=form(parameters), content_type=FORM, headers=dict(headers))


def register(app: Flask, http: FlaskClient, *, approve: bool = True, **changes: Any) -> Machine:
    """Register a client by the verbs behind ``/register``, and approve its software if wanted."""
    document = {
        "client_name": "Example Client",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPES,
    }
    metadata = client_metadata.parse(document | changes)
    with app.app_context():
        arrival = admissions.evidence(
            metadata, source="dcr", initial_access_token=None, address="127.0.0.1", user_agent=""
        )
        client, issued = admissions.register(arrival, policies.judge(arrival), by=SERVER)
        assertion_secrets.seal(client, issued.client_secret, current_key("client secrets"))
        row = software.get(client.software_id)
        if approve and row.status == "pending":
            offered = decisions.offered_scopes(row)
            decisions.approve(row.id, row.revision, allowed=offered, by=SERVER)
        machine = known(http, client, issued)
        db.session.commit()
    return machine


def create(
    app: Flask,
    http: FlaskClient,
    *,
    introspects: tuple[str, ...] = (),
    resources: tuple[str, ...] | None = None,
    **changes: Any,
) -> Machine:
    """Create a confidential client by hand, as operators do; keywords change its metadata."""
    rules = MetadataRules(grant_types=grant_types.ALL)
    document = {"client_name": "Resource server", "grant_types": ["client_credentials"]}
    metadata = client_metadata.parse(document | changes, rules)
    with app.app_context():
        client, issued = admissions.create(
            metadata,
            by=SERVER,
            allowed=SCOPES.split(),
            introspects=introspects,
            resources=resources,
        )
        machine = known(http, client, issued)
        db.session.commit()
    return machine


def known(http: FlaskClient, client: Any, issued: Any) -> Machine:
    """Return the machine of a stored client."""
    return Machine(
        http,
        client.client_id,
        client.client_metadata["token_endpoint_auth_method"],
        issued.client_secret,
        issued.registration_access_token,
        next(iter(client.client_metadata.get("redirect_uris", [""]))),
    )


DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""What an error_description may hold (RFC 6749 section 5.2)."""


def assert_refused(
    response: TestResponse, error: str, status: int | None = None, **more: str
) -> None:
    """Demand an OAuth refusal: the right code and status, JSON, a sentence, and no caching.

    ``more`` are the members that it has besides.
    """
    expected = status or (401 if error == "invalid_client" else 400)
    assert response.status_code == expected, response.text
    assert response.mimetype == "application/json"
    body = response.get_json()
    assert body.keys() == {"error", "error_description"} | more.keys()
    assert {"error": error} | more == {name: body[name] for name in ("error", *more)}, body
    assert DESCRIPTION.fullmatch(body["error_description"])
    assert response.headers["Cache-Control"] == "no-store"
    assert "Location" not in response.headers
