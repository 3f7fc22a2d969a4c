"""A client of this server that gets tokens of connections, for itself and for people."""

from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import Page

from app.domain import admissions, client_metadata, scopes
from app.domain.audit import SERVER
from app.extensions import db
from app.protocol.connection_tokens import SCOPE
from tests.browser.steps import expect_heading, press
from tests.flows.two_servers import Here
from tests.protocol.machines import FORM, PROOF, form
from tests.services.callback import Callback


@dataclass(frozen=True)
class Worker:
    """The client, and where it listens."""

    here: Here
    callback: Callback
    client_id: str
    secret: str

    def post(self, **parameters: str) -> str:
        """Get an access token of this server."""
        url, pair = f"{self.here.issuer}/token", (self.client_id, self.secret)
        return httpx2.post(url, data=parameters, auth=pair).json()["access_token"]

    def ask(self, **parameters: str) -> httpx2.Response:
        """Ask for the token of the connection."""
        own = self.post(grant_type="client_credentials", scope=SCOPE)
        return httpx2.post(
            f"{self.here.issuer}/connections/notes/token",
            headers={"Authorization": f"Bearer {own}", "Content-Type": FORM},
            content=form(parameters),
            timeout=20,
        )

    def token(self, **parameters: str) -> str:
        """Return the token of the connection."""
        answer = self.ask(**parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def token_of(self, page: Page) -> str:
        """Let who is signed in allow this client to act for them; return a token of theirs."""
        wanted = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback.uri,
            "scope": "openid",
            "code_challenge": PROOF.challenge,
            "code_challenge_method": "S256",
        }
        page.goto(f"{self.here.issuer}/authorize?{form(wanted)}")
        press(page, "Allow")
        expect_heading(page, "You can close this window")
        return self.post(
            grant_type="authorization_code",
            code=self.callback.take()["code"],
            redirect_uri=self.callback.uri,
            code_verifier=PROOF.verifier,
        )


@pytest.fixture
def worker(here: Here, callback: Callback) -> Worker:
    wanted = {
        "client_name": "Worker",
        "grant_types": ["client_credentials", "authorization_code"],
        "redirect_uris": [callback.uri],
    }
    with here.app.app_context():
        scopes.create(SCOPE, "Get tokens of connections", by=SERVER)
        metadata = client_metadata.parse(wanted)
        client, issued = admissions.create(metadata, by=SERVER, allowed=[SCOPE, "openid"])
        db.session.commit()
        return Worker(here, callback, client.client_id, issued.client_secret)
