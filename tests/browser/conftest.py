"""A server for Chromium to look at, and the people and apps that meet there."""

import secrets
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page

from tests.conftest import is_fault
from tests.flows.person import Person
from tests.flows.world import SCOPE, add_person, add_resource
from tests.services.callback import Callback, listening
from tests.services.gunicorn import Server
from tests.services.process import free_port

RESOURCE = "https://notes.example/mcp"
APP = "Notes reader"


@dataclass(frozen=True)
class Request:
    """An authorization request of an app that has registered itself."""

    url: str
    client_id: str
    state: str


@dataclass(frozen=True)
class Site:
    """A running server."""

    issuer: str

    def url(self, path: str = "/") -> str:
        """Return the address of one of its pages."""
        return self.issuer + path

    def register(self, redirect_uri: str, name: str = APP, **metadata: Any) -> dict[str, Any]:
        """Register an app the way MCP clients do."""
        body = {
            "client_name": name,
            "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none",
        }
        answer = httpx2.post(self.url("/register"), json=body | metadata)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def ask(self, client_id: str, redirect_uri: str, **more: str) -> Request:
        """Return the request with which the app sends a person here."""
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
        return Request(self.url(f"/authorize?{urlencode(asked | more)}"), client_id, state)


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Return SQLite only: a browser cannot tell the databases apart."""
    shutil.copyfile(sqlite_template, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def issuer() -> str:
    """Return an issuer with a path, where more can go wrong than at the root."""
    return f"http://127.0.0.1:{free_port()}/tenant/one"


@pytest.fixture
def overrides(issuer: str) -> dict[str, Any]:
    """Give the app that seeds the database the issuer of the server."""
    return {"issuer": issuer}


@pytest.fixture
def settings_of_site() -> dict[str, Any]:
    """Return the settings of the server; parametrise it for another one."""
    return {}


@pytest.fixture
def site(
    app: Flask, issuer: str, serve: Callable[..., Server], settings_of_site: dict[str, Any]
) -> Site:
    """Serve with a resource in the catalogue."""
    serve(port=urlsplit(issuer).port, issuer=issuer, **settings_of_site)
    add_resource(app, RESOURCE)
    return Site(issuer)


@pytest.fixture
def member(app: Flask, site: Site) -> Person:
    return add_person(app, "pia@example.org", "member")


@pytest.fixture
def approver(app: Flask, site: Site) -> Person:
    return add_person(app, "ada@example.org", "approver")


@pytest.fixture
def callback() -> Iterator[Callback]:
    """Listen where the app waits for its code."""
    with listening() as waiting:
        yield waiting


@pytest.fixture
def request_of_app(site: Site, callback: Callback) -> Request:
    """Return the request of an app that nobody has decided about."""
    registered = site.register(callback.uri)
    return site.ask(registered["client_id"], callback.uri)


@pytest.fixture
def another_page(browser: Any) -> Iterator[Callable[[], Page]]:
    """Return a function that opens a page in one more profile, watched like ``page``."""
    errors: list[str] = []

    def watched(context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if is_fault(said) else None)
        return page

    with ExitStack() as contexts:

        def open_one() -> Page:
            context = browser.new_context()
            contexts.callback(context.close)
            return watched(context)

        yield open_one
    assert errors == []
