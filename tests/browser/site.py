"""A server for Chromium to look at, and what apps do there."""

import secrets
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from flask import Flask

from app import create_app
from app.config import load
from app.extensions import db
from tests.conftest import SECRET_KEY
from tests.flows.person import Person
from tests.flows.world import SCOPE, add_person, add_resource
from tests.services.gunicorn import running_server
from tests.services.process import free_port

RESOURCE = "https://notes.example/mcp"
numbers = count(1)


@dataclass(frozen=True)
class AppRequest:
    """An authorization request of an app that has registered itself."""

    url: str
    name: str
    client_id: str
    redirect_uri: str
    state: str


@dataclass(frozen=True)
class Site:
    """A running server; ``app`` is an application over the same database."""

    issuer: str
    app: Flask

    def url(self, path: str = "/") -> str:
        """Return the address of one of its pages."""
        return self.issuer + path

    def add(self, role: str) -> Person:
        """Make an account that nobody else uses."""
        return add_person(self.app, f"{role}{next(numbers)}@example.org", role)

    def register(self, redirect_uri: str, name: str | None = None, **more: Any) -> AppRequest:
        """Register an app of a new name as MCP clients do; return its first request."""
        body = {
            "client_name": name or f"Notes reader {next(numbers)}",
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none",
        }
        answer = httpx2.post(self.url("/register"), json=body | more)
        assert answer.status_code == 201, answer.text
        return self.ask(body["client_name"], answer.json()["client_id"], redirect_uri)

    def ask(self, name: str, client_id: str, redirect_uri: str) -> AppRequest:
        """Return a request with which the app sends a person here."""
        state, verifier = secrets.token_urlsafe(8), secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": f"{SCOPE} offline_access",
            "resource": RESOURCE,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        url = self.url(f"/authorize?{urlencode(asked)}")
        return AppRequest(url, name, client_id, redirect_uri, state)


@contextmanager
def running_site(
    template: Path, folder: Path, host: str = "127.0.0.1", **settings: Any
) -> Iterator[Site]:
    """Serve while the block lasts, over SQLite: a browser cannot tell the databases apart.

    The issuer has a path, where more can go wrong than at the root.
    """
    shutil.copyfile(template, folder / "test.db")
    port = free_port()
    values = {
        "issuer": f"http://{host}:{port}/tenant/one",
        "data_dir": folder,
        "database_url": f"sqlite:///{folder / 'test.db'}",
        "secret_key": SECRET_KEY,
        "rate_limit_enabled": False,
        "password_memory_kib": 19456,
    } | settings
    env = {f"GATEWRIGHT_{name.upper()}": str(value) for name, value in values.items()}
    with running_server(env, port=port):
        app = create_app(load(**values))
        add_resource(app, RESOURCE)
        yield Site(values["issuer"], app)
        with app.app_context():
            db.engine.dispose()
