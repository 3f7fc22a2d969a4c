"""Connections that people authorize, as operators make them; test files import these fixtures.

``api`` is a protected API on loopback and ``login`` the site of its authorization server.
"""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain import connection_grants, connections
from app.domain.upstream_tokens import tokens_of
from tests.services.gate import said, token_answer

LIST = "/admin/connections/"
NEW = f"{LIST}new/upstream"
REDIRECT = "https://gatewright.example/connections/callback"
SECRET, MANAGING = "c4n4ry-s3cret", "c4n4ry-rat"
ACCESS, REFRESH = "c4n4ry-access", "c4n4ry-refresh"


class Upstream:
    """One connection and the site of its authorization server; an admin acts by the forms."""

    def __init__(self, app, admin, send, api, login):
        self.app, self.admin, self.send, self.api, self.login = app, admin, send, api, login
        app.extensions["gatewright.outbound"].allow |= {api.name, login.name}
        login.pages["POST /register"] = said(201, self.registration())
        login.pages["POST /token"] = token_answer(ACCESS, refresh_token=REFRESH, scope="read")
        login.pages["POST /revoke"] = said(200)
        login.pages["DELETE /clients/c-1"] = said(204, b"", "")

    def registration(self):
        """Return what the server answers to a registration."""
        return {
            "client_id": "c-1",
            "client_secret": SECRET,
            "client_secret_expires_at": 0,
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "client_secret_basic",
            "registration_client_uri": f"{self.login.origin}/clients/c-1",
            "registration_access_token": MANAGING,
        }

    def make(self, **typed):
        """Create the connection; its page is remembered."""
        form = {"name": "notes", "url": self.api.url, "expiry_buffer_seconds": "60"} | typed
        answer = self.send(self.admin, NEW, **form)
        assert answer.status_code == 303, answer.text
        self.page = answer.location
        return self

    def do(self, what, **typed):
        """Send one of the forms of the connection."""
        return self.send(self.admin, f"{self.page}/{what}", **typed)

    def ready(self, **typed):
        """Make the connection and become a client there."""
        self.make(**typed)
        assert self.do("discover").status_code == 200
        assert self.do("register").location == self.page
        return self

    def begin(self):
        """Begin to authorize for this server; return what the browser is sent with."""
        return self.asked_by(self.do("authorize"))

    def asked_by(self, answer):
        """Return what a redirect to the authorization endpoint carries."""
        assert answer.status_code == 303
        assert answer.location.startswith(f"{self.login.origin}/authorize?")
        return {name: only for name, [only] in parse_qs(urlsplit(answer.location).query).items()}

    def come_back(self, asked, browser=None, **changes):
        """Bring an answer to the callback, as a browser would."""
        brought = {"state": asked["state"], "code": "c4n4ry-code", "iss": self.login.origin}
        brought = {name: said for name, said in (brought | changes).items() if said is not None}
        return (browser or self.admin).get("/connections/callback", query_string=brought)

    def authorized(self):
        """Authorize the connection for this server itself."""
        self.ready()
        assert self.come_back(self.begin()).location == self.page
        return self

    def row(self, name="notes"):
        """Return the connection as it is now."""
        with self.app.app_context():
            return connections.get(name)

    def tokens(self, owner=""):
        """Return the tokens of an owner, opened; None without."""
        with self.app.app_context():
            found = connection_grants.find(connections.get("notes").id, owner)
            key = self.app.extensions["gatewright.keys"]["connections"]
            return None if found is None else tokens_of(found, key)

    def forms(self, path):
        """Return the form of each request to a path of the authorization server."""
        bodies = [each.decode().partition("\r\n\r\n") for each in self.login.requests]
        return [parse_qs(body) for head, _, body in bodies if head.startswith(f"POST {path} ")]


@pytest.fixture
def upstream(app, admin, send, api, login):
    """Return a connection that is not made yet."""
    login.describe_server(
        "/.well-known/oauth-authorization-server",
        login.origin,
        revocation_endpoint=f"{login.origin}/revoke",
    )
    return Upstream(app, admin, send, api, login)
