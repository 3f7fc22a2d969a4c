"""An identity provider outside, with people who sign in there; it signs with a vendor's keys."""

import json
import re
import time
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.domain import identity_providers
from app.domain.audit import SERVER
from app.domain.foreign_logout_tokens import EVENT
from app.domain.identity_provider_drafts import Draft
from app.extensions import db
from app.outbound.client import Answer
from app.outbound.issuers import Issuers
from app.outbound.key_sets import KeySets
from tests.protocol.persons import Person, find_form, new_http
from tests.protocol.vendors import KEYS, jws, key_set

ISSUER = "https://id.example/tenant"
CLIENT_ID, SECRET = "gatewright-there", "c4n4ry-provider-secret"
ACCESS, CODE = "c4n4ry-access-token", "c4n4ry-code"
REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


def id_token(nonce: str, /, algorithm: str = "ES256", key: Any = None, **changes: Any) -> str:
    """Return an ID token; a claim changed to None is left out, a date is counted from now."""
    said = {
        "iss": ISSUER,
        "sub": "pia-there",
        "aud": CLIENT_ID,
        "exp": 300,
        "iat": 0,
        "nonce": nonce,
        "email": "Pia@Example.org",
        "name": "Pia P.",
    }
    header = {"alg": algorithm, "typ": "JWT", "kid": algorithm}
    return jws(header, dated(said | changes), key or KEYS[algorithm], algorithm)


def logout_token(header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
    """Return a logout token, changed as an ID token is; ``header`` changes the header."""
    said = {
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "exp": 120,
        "iat": 0,
        "jti": token_urlsafe(),
        "events": {EVENT: {}},
    }
    head = {"alg": "ES256", "typ": "logout+jwt", "kid": "ES256"} | (header or {})
    kept = {name: value for name, value in head.items() if value is not None}
    return jws(kept, dated(said | changes), key or KEYS["ES256"], "ES256")


def dated(said: dict[str, Any]) -> dict[str, Any]:
    """Return claims with their dates counted from now, without those that are None."""
    now, dates = int(time.time()), ("exp", "iat", "nbf")
    return {
        name: now + value if name in dates and type(value) in (int, float) else value
        for name, value in said.items()
        if value is not None
    }


def going_to(page: TestResponse) -> str:
    """Return where a page goes on by itself."""
    assert page.status_code == 200, (page.status, page.location)
    found = REFRESH.search(page.text)
    assert found is not None, page.text
    return found[1].replace("&amp;", "&")


class Provider:
    """Stands in for the way out: one provider, which wants no transaction open when asked."""

    allow: frozenset[str] = frozenset()

    def __init__(self, app: Flask, name: str = "acme", issuer: str = ISSUER) -> None:
        self.app, self.name, self.issuer = app, name, issuer
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.claims: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.nonce = ""

    def attach(self, **changes: Any) -> "Provider":
        """Become the way out of the app, and a provider of it."""
        extensions = self.app.extensions
        extensions["gatewright.outbound"] = self
        extensions["gatewright.issuers"] = Issuers(self)
        extensions["gatewright.key_sets"] = KeySets(self)
        self.hold(self.name, **changes)
        return self

    def hold(self, name: str, **changes: Any) -> None:
        """Make a provider of this issuer."""
        draft = Draft(
            **{"issuer": self.issuer, "client_id": CLIENT_ID, "client_secret": SECRET} | changes
        )
        with self.app.app_context():
            key = self.app.extensions["gatewright.keys"]["identity providers"]
            identity_providers.create(name, draft, key, by=SERVER)
            db.session.commit()

    def stranger(self, url: str, *, content: bytes | None = None, **_: Any) -> Answer:
        """Answer as the provider does."""
        assert not db.session().in_transaction()
        self.asked.append((url, parse_qs((content or b"").decode())))
        bodies = {
            f"{self.issuer}/.well-known/openid-configuration": self.document,
            f"{self.issuer}/jwks": key_set,
            f"{self.issuer}/token": self.tokens,
            f"{self.issuer}/userinfo": lambda: self.told,
        }
        if url not in bodies:
            return Answer(404, {}, b"")
        body = json.dumps(bodies[url]()).encode()
        return Answer(200, {"content-type": "application/json"}, body)

    def document(self) -> dict[str, Any]:
        """Return the metadata."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/logout",
        } | self.metadata

    def tokens(self) -> dict[str, str]:
        """Return a token answer."""
        token = id_token(self.nonce, **self.claims)
        return {"access_token": ACCESS, "token_type": "Bearer", "id_token": token}

    def log_out(self, token: str, name: str = "") -> TestResponse:
        """Send a logout token, as the provider does: without a browser."""
        url = f"/backchannel_logout/{name or self.name}"
        return new_http(self.app).post(url, data={"logout_token": token})

    def redeemed(self) -> list[dict[str, list[str]]]:
        """Return the form of each request to the token endpoint."""
        return [form for url, form in self.asked if url.endswith("/token")]

    def begin(self, http: FlaskClient, page: TestResponse | None = None) -> dict[str, str]:
        """Press the button of a sign-in page; return what the browser goes to the provider with."""
        shown = page or http.get("/login")
        form = find_form(shown, f"/login/{self.name}")
        return self.goes(http.post(form.action, data=form.fields))

    def goes(self, page: TestResponse) -> dict[str, str]:
        """Return what a browser goes to the provider with."""
        url = going_to(page)
        assert url.startswith(f"{self.issuer}/authorize?tenant=1&")
        query = parse_qs(urlsplit(url).query)
        self.nonce = query["nonce"][0]
        return {name: value for name, [value] in query.items()}

    def come_back(self, http: FlaskClient, sent: dict[str, str], **changes: Any) -> TestResponse:
        """Bring an answer to the redirect URI, as a browser would."""
        brought = {"state": sent["state"], "code": CODE} | changes
        query = {name: value for name, value in brought.items() if value is not None}
        return http.get(urlsplit(sent["redirect_uri"]).path, query_string=query)

    def sign_in(self, http: FlaskClient, **changes: Any) -> TestResponse:
        """Sign in from the sign-in page, with claims changed."""
        self.claims = changes
        return self.come_back(http, self.begin(http))

    def come(self, name: str = "", **changes: Any) -> Person:
        """Return somebody who has just signed in, in a browser of their own."""
        somebody, self.name, own = Person(self.app, "", ""), name or self.name, self.name
        self.sign_in(somebody.http, **changes)
        self.name = own
        return somebody
