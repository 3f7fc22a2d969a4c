"""Clients that prove themselves by signed assertions, with keys of the vendor or a secret."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import OctKey
from werkzeug.test import TestResponse

from app.domain import credentials
from tests.conftest import ISSUER
from tests.protocol import machines
from tests.protocol.machines import Machine, send
from tests.protocol.vendors import KEYS, jws, key_set

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEYS_URI = "https://client.example/jwks.json"


@dataclass(frozen=True)
class Signer(Machine):
    """A client with a key, which may be its secret."""

    algorithm: str = "ES256"

    @property
    def key(self) -> Any:
        """Return what it signs with."""
        return OctKey.import_key(self.secret) if self.secret else KEYS[self.algorithm]

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return what it says of itself; None leaves a claim out, dates are seconds from now."""
        said = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "exp": 60,
            "iat": 0,
            "jti": credentials.new_id(),
        } | changes
        now = int(time.time())
        dated = {
            name: now + said[name]
            for name in ("exp", "iat", "nbf")
            if type(said.get(name)) in (int, float)
        }
        return {name: value for name, value in (said | dated).items() if value is not None}

    def assertion(
        self, header: dict[str, Any] | None = None, key: Any = None, **changes: Any
    ) -> str:
        """Sign an assertion; keywords change its claims."""
        kid = None if self.secret else self.algorithm
        head = {"alg": self.algorithm, "kid": kid} | (header or {})
        kept = {name: value for name, value in head.items() if value is not None}
        return jws(kept, self.claims(**changes), key or self.key, head["alg"])

    def proof(self, assertion: str | None = None) -> dict[str, str]:
        """Return the parameters that prove it."""
        return {
            "client_assertion_type": KIND,
            "client_assertion": self.assertion() if assertion is None else assertion,
        }

    def post(
        self, path: str, /, headers: Mapping[str, str] = {}, **parameters: Any
    ) -> TestResponse:
        """Call an endpoint with an assertion of its own unless the parameters differ."""
        return send(self.http, path, self.proof() | parameters, headers)

    def for_itself(self, **changes: Any) -> TestResponse:
        """Ask for a token of its own."""
        return self.post("/token", grant_type="client_credentials", **changes)

    def signing(self, algorithm: str) -> "Signer":
        """Return the same client with another key."""
        return replace(self, algorithm=algorithm)


def signer_of(machine: Machine) -> Signer:
    """Return a registered client as one that signs."""
    signer = Signer(
        machine.http, machine.client_id, "private_key_jwt", redirect_uri=machine.redirect_uri
    )
    by_secret = machine.method == "client_secret_jwt"
    return replace(signer, secret=machine.secret, algorithm="HS256") if by_secret else signer


def register(app: Flask, http: FlaskClient, **changes: Any) -> Signer:
    """Register a client that signs; its keys come along unless the keywords say otherwise."""
    wanted = {
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "jwks": key_set("ES256", "PS256", "EdDSA", "enc"),
    } | changes
    given = {name: value for name, value in wanted.items() if value is not None}
    return signer_of(machines.register(app, http, **given))


def share(app: Flask, http: FlaskClient, **changes: Any) -> Signer:
    """Register a client that signs with its secret."""
    by_secret = {"token_endpoint_auth_method": "client_secret_jwt", "jwks": None}
    return register(app, http, **by_secret | changes)
