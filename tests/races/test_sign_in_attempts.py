"""Sign-ins at identity providers: of eight processes with one answer one signs in (promise 1)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from app.domain import identity_providers
from app.domain.audit import SERVER
from app.domain.identity_provider_drafts import Draft
from app.extensions import db
from tests.protocol.providers import CLIENT_ID, REFRESH, SECRET, id_token
from tests.protocol.vendors import key_set
from tests.races.cast import Cast, spread
from tests.races.history import History, check_valid, not_exactly_once
from tests.races.wire import Browser, Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ROUNDS = 5
WORKERS = 4
"""Of each of the two servers, with one thread each: as many processes as there are answers."""


class Handler(BaseHTTPRequestHandler):
    """Answers as a provider does whose codes are the nonces of what was asked."""

    def do_GET(self) -> None:
        issuer = self.server.issuer
        endpoints = {"authorization_endpoint": "/authorize", "jwks_uri": "/jwks"}
        endpoints["token_endpoint"] = "/token"
        metadata = {name: issuer + path for name, path in endpoints.items()}
        self.answer(key_set() if self.path == "/jwks" else {"issuer": issuer, **metadata})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        [nonce] = form["code"]
        self.server.redeemed.append(nonce)
        token = id_token(nonce, iss=self.server.issuer)
        self.answer({"access_token": "at-there", "token_type": "Bearer", "id_token": token})

    def answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Provider(ThreadingHTTPServer):
    """An identity provider on loopback; ``redeemed`` are the codes that were."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.redeemed: list[str] = []
        self.place = f"127.0.0.1:{self.server_port}"
        self.issuer = f"http://{self.place}"


@pytest.fixture
def provider(cast: Cast) -> Iterator[Provider]:
    """Run a provider that the servers know."""
    with Provider() as running:
        Thread(target=running.serve_forever, daemon=True).start()
        draft = Draft(issuer=running.issuer, client_id=CLIENT_ID, client_secret=SECRET)
        with cast.app.app_context():
            key = cast.app.extensions["gatewright.keys"]["identity providers"]
            identity_providers.create("acme", draft, key, by=SERVER)
            db.session.commit()
        yield running
        running.shutdown()


@dataclass(frozen=True)
class Attempt:
    """What a browser brings back from the provider."""

    browser: Browser
    state: str
    code: str

    def come_back(self, server: str) -> Reply:
        """Bring the answer; only who is passed on is signed in."""
        query = urlencode({"state": self.state, "code": self.code})
        browser = Browser(dict(self.browser.cookies))
        reply = browser.get(server, f"/login/callback/acme?{query}")
        return reply if reply.status != 303 else replace(reply, status=403)


def begin(server: str) -> Attempt:
    """Press the button of the sign-in page, in a browser of its own."""
    browser = Browser()
    browser.get(server, "/login")
    page = browser.post(server, "/login/acme")
    assert page.status == 200, page.text
    query = parse_qs(urlsplit(REFRESH.search(page.text)[1].replace("&amp;", "&")).query)
    return Attempt(browser, query["state"][0], query["nonce"][0])


def test_of_eight_processes_that_get_one_answer_one_signs_in(
    cast: Cast,
    two_servers: Callable[..., tuple[str, str]],
    history: History,
    provider: Provider,
) -> None:
    """And one asks the provider, for a code that counts once there, too."""
    servers = two_servers(workers=WORKERS, threads=1, outbound_allow=provider.place)

    for _ in range(ROUNDS):
        attempt = begin(servers[0])
        calls = [partial(attempt.come_back, each) for each in spread(2 * WORKERS, servers)]
        history.race("sign in", attempt.state, calls)

    check_valid(history, "sign in")
    assert not_exactly_once(history, "sign in") == [], history.summary()
    assert len(provider.redeemed) == len(set(provider.redeemed)) == ROUNDS
    assert cast.column("SELECT count(*) FROM sessions") == [ROUNDS]
    signed_in = "SELECT count(*) FROM audit_events WHERE tag = 'user.signed_in'"
    assert cast.column(signed_in) == [ROUNDS]
