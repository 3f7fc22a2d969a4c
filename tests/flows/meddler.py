"""Stands between a client and the server, with a key of its own, and changes one thing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc.jwk import RSAKey

DROPPED = ("connection", "content-encoding", "content-length", "date", "server")
Change = Callable[[Any], Any]


@dataclass
class Meddler:
    """What passes through here; each change is given a value and returns what goes on."""

    issuer: str
    server: str
    changes: dict[str, Change] = field(default_factory=dict)
    """By what is changed: ``metadata``, ``location`` or ``id_token``."""

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "meddler", "use": "sig", "alg": "RS256"})
        self.http = httpx2.Client(base_url=self.server, follow_redirects=False, timeout=20)

    def change(self, what: str, value: Any) -> Any:
        """Return what goes on instead of a value."""
        return self.changes.get(what, lambda same: same)(value)

    def changed(self, path: str, body: bytes) -> bytes:
        """Return the body that goes on; the keys are always those of both."""
        if "/.well-known/o" in path:
            return json.dumps(self.change("metadata", json.loads(body))).encode()
        if path.endswith("/jwks.json"):
            return json.dumps({"keys": [*json.loads(body)["keys"], self.public()]}).encode()
        if path.endswith("/token") and b'"id_token"' in body:
            said = json.loads(body)
            return json.dumps(
                said | {"id_token": self.change("id_token", said["id_token"])}
            ).encode()
        return body

    def public(self) -> dict[str, Any]:
        """Return the public half of the key."""
        return dict(self.key.as_dict(private=False))


def handler_of(meddler: Meddler) -> type[BaseHTTPRequestHandler]:
    """Return what answers for a meddler."""

    class Handler(BaseHTTPRequestHandler):
        """Passes requests on and answers back."""

        def do_GET(self) -> None:
            self.pass_on()

        def do_POST(self) -> None:
            self.pass_on()

        def pass_on(self) -> None:
            """Ask the server, change what it says, and say that."""
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = list(self.headers.items())
            answer = meddler.http.request(self.command, self.path, headers=headers, content=sent)
            body = meddler.changed(urlsplit(self.path).path, answer.content)
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name.lower() not in DROPPED:
                    is_way = name.lower() == "location"
                    self.send_header(name, meddler.change("location", value) if is_way else value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_facts: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def meddling(issuer: str, server: str) -> Iterator[Meddler]:
    """Stand at the issuer's address, before a server, while the block lasts."""
    meddler = Meddler(issuer, server)
    at = ("127.0.0.1", urlsplit(issuer).port)
    with meddler.http, ThreadingHTTPServer(at, handler_of(meddler)) as listening:
        thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield meddler
        finally:
            listening.shutdown()
            thread.join()
