"""A host of client ID metadata documents on loopback, and documents as real clients have them.

Test files import its fixtures ``authority``, ``tls``, ``host``, ``overrides`` and ``app``.
"""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.outbound.lookups import Lookups
from tests.outbound.conftest import Authority
from tests.outbound.conftest import authority as authority

HOST = "client.example"

CLAUDE_CODE: dict[str, Any] = {
    "client_name": "Claude Code",
    "client_uri": "https://claude.ai",
    "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
CODEX: dict[str, Any] = {
    "client_name": "Codex",
    "application_type": "native",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "none",
}
VSCODE: dict[str, Any] = {
    "client_name": "Visual Studio Code",
    "application_type": "native",
    "client_uri": "https://code.visualstudio.com",
    "redirect_uris": [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ],
    "grant_types": [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
CHATGPT: dict[str, Any] = {
    "client_name": "ChatGPT",
    "redirect_uris": ["https://chatgpt.com/connector/oauth/abc"],
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
    "token_endpoint_auth_signing_alg": "RS256",
    "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
}
SHAPES = {
    "claude code": (CLAUDE_CODE, "http://localhost:54321/callback"),
    "codex": (CODEX, "http://127.0.0.1:49152/callback"),
    "vs code": (VSCODE, "https://vscode.dev/redirect"),
    "vs code on another port": (VSCODE, "http://127.0.0.1:50001/"),
    "chatgpt": (CHATGPT, "https://chatgpt.com/connector/oauth/abc"),
}
"""Documents, each with the redirect URI of a request."""


class DocumentHost:
    """Answers what a test puts at its URLs, and remembers the paths it was asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.released = threading.Event()
        self.released.set()

    def url(self, path: str = "/oauth/client.json") -> str:
        """Return the URL of a path, which is a client_id."""
        return f"https://{HOST}:{self.port}{path}"

    def put(
        self,
        document: Mapping[str, Any] | bytes = CODEX,
        path: str = "/oauth/client.json",
        *,
        status: int = 200,
        media_type: str = "application/json",
        **headers: str,
    ) -> str:
        """Publish a document, with its client_id unless it names another; return its URL."""
        url = self.url(path)
        if not isinstance(document, bytes):
            document = json.dumps({"client_id": url} | dict(document)).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[path] = status, {"Content-Type": media_type} | sent, document
        return url


@contextmanager
def document_host(context: ssl.SSLContext) -> Iterator[DocumentHost]:
    """Run a host under the name client.example while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            host.released.wait(10)
            status, headers, body = host.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    host = DocumentHost(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ssl.SSLContext:
    """Return what the host of the documents proves itself with."""
    return authority.context(HOST)


@pytest.fixture
def host(tls: ssl.SSLContext) -> Iterator[DocumentHost]:
    """Return a host of documents with nothing on it."""
    with document_host(tls) as running:
        yield running


@pytest.fixture
def limits() -> dict[str, Any]:
    """Return the rate limits of this test's app; parametrise it."""
    return {}


@pytest.fixture
def overrides(host: DocumentHost, authority: Authority, limits: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with which the host is reached."""
    return reaching(host, authority) | limits


def reaching(host: DocumentHost, authority: Authority) -> dict[str, Any]:
    """Return the settings with which a host is reached."""
    return {"outbound_allow": f"{HOST}:{host.port}", "outbound_ca_file": authority.file}


@pytest.fixture
def app(app: Flask) -> Iterator[Flask]:
    """Return the app, to which every name is loopback."""
    with everything_on_loopback(app):
        yield app


@contextmanager
def everything_on_loopback(app: Flask) -> Iterator[None]:
    """Let every name that strangers give lead to loopback."""
    outbound = app.extensions["gatewright.outbound"]
    outbound.of_strangers = Lookups(lambda _host, _port: ["127.0.0.1"])
    yield
    outbound.of_strangers.threads.shutdown()


UNUSABLE = "The document that describes this app could not be retrieved"


def is_waiting(page: TestResponse) -> bool:
    """Tell whether a page is the one that waits for approval."""
    return page.status_code == 200 and "Waiting for approval" in page.text


def is_refused_here(page: TestResponse, status: int, words: str = "") -> bool:
    """Tell whether a request ended on a page of ours that says why."""
    said = " ".join(page.text.split())
    return (page.status_code, page.location) == (status, None) and words in said
