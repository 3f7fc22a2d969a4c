"""A relying party in Node, driven through typescript/relying_party.mjs, and the person it asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from app.domain import clients, decisions, software
from app.domain.audit import SERVER
from app.extensions import db
from tests.flows.driver import Driver, running_driver
from tests.flows.person import Browser, Person
from tests.services.callback import Callback, listening

SCOPE = "openid profile email offline_access"
METADATA = {
    "client_name": "Relying party",
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "client_secret_basic",
    "scope": SCOPE,
}


class RelyingParty:
    """One client; ``ask`` is told to its driver."""

    def __init__(self, driver: Driver, callback: Callback) -> None:
        self.ask, self.callback, self.signs = driver.ask, callback, False

    def register(self, app: Flask, *, profile: bool = False, **changes: Any) -> dict[str, Any]:
        """Register over HTTP and be approved; return the client information response.

        ``profile`` is whether an operator holds it to FAPI 2.0. With an algorithm for request
        objects all later requests are signed.
        """
        self.signs = "request_object_signing_alg" in changes
        information = self.ask("register", metadata=METADATA | changes)
        with app.app_context():
            client = clients.get(information["client_id"])
            row = software.get(client.software_id)
            offered = decisions.offered_scopes(row)
            decisions.approve(row.id, row.revision, allowed=offered, by=SERVER)
            clients.edit(client, by=SERVER, scopes=None, redirect_uris=(), fapi2=profile)
            db.session.commit()
        return information

    def send(self, browser: Browser, *, pushed: bool = False, **parameters: str) -> None:
        """Send a browser to the server with an authorization request."""
        wanted = {"scope": SCOPE} | parameters
        options = {"pushed": pushed, "signs": self.signs}
        browser.open(self.ask("authorize", parameters=wanted, **options)["url"])

    def finish(self, *, posted: bool = False) -> dict[str, Any]:
        """Take what the browser brought; return the tokens and the claims of the ID token."""
        return self.ask("finish", url=self.callback.take_url(), posted=posted)


@contextmanager
def running_relying_party(issuer: str) -> Iterator[RelyingParty]:
    """Run a relying party while the block lasts."""
    with (
        listening() as callback,
        running_driver("relying_party.mjs", issuer, callback.uri) as driver,
    ):
        yield RelyingParty(driver, callback)


def sign_in_and_allow(browser: Browser, person: Person) -> None:
    """Answer what the browser shows: sign in, and allow."""
    person.sign_in(browser)
    browser.press("Allow")
