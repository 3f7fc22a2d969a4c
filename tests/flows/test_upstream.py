"""This server as a client of another instance of itself: registered, allowed, renewed, deleted."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from flask import Flask

from app.domain import credentials
from app.outbound import registration, upstream_logins
from app.outbound.client import Outbound
from app.outbound.discovery import discover_issuer
from app.outbound.errors import OutboundError
from app.outbound.registration import Registered
from app.outbound.upstream import redeem, refresh, revoke
from app.outbound.upstream_authorization import authorization_url, check_answer
from app.outbound.upstream_clients import Profile, how
from app.outbound.upstream_metadata import ServerMetadata
from app.outbound.upstream_refusals import SENTENCES, Refused
from tests.flows.person import Browser
from tests.flows.world import SCOPE, add_person, add_resource
from tests.services.callback import Callback, listening
from tests.services.gunicorn import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True),
]
RESOURCE = "https://notes.example/mcp"
DOCUMENT = "https://gatewright.example/.well-known/client-metadata.json"


class Elsewhere:
    """The other instance, its people at their browsers, and this server as its client."""

    def __init__(self, app: Flask, issuer: str, callback: Callback) -> None:
        self.issuer, self.callback = issuer, callback
        self.outbound = Outbound("Gatewright", allow=[urlsplit(issuer).netloc])
        self.profile = Profile("Gatewright over there", callback.uri, ("ops@gatewright.example",))
        self.api = add_resource(app, RESOURCE)
        self.person = add_person(app, "pia@example.org", "member")
        self.approver = add_person(app, "ada@example.org", "approver")

    def metadata(self) -> ServerMetadata:
        """Find the other instance."""
        found = discover_issuer(self.outbound, self.issuer).server
        assert found is not None
        return found

    def approve(self, url: str) -> None:
        """Let the client in, as an approver who comes to its authorization request."""
        with Browser() as browser:
            browser.open(f"{self.issuer}/login")
            self.approver.sign_in(browser)
            browser.open(url)
            browser.press("Approve")

    def bring(self, url: str, decision: str) -> dict[str, str]:
        """Decide as the person at the page; return what the browser brings back."""
        with Browser() as browser:
            browser.open(url)
            self.person.sign_in(browser)
            browser.press(decision)
            return self.callback.take()

    def told(self, token: str) -> dict[str, object]:
        """Return what the other instance tells the resource of a token."""
        proof = (self.api["client_id"], self.api["client_secret"])
        answer = httpx2.post(f"{self.issuer}/introspect", data={"token": token}, auth=proof)
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def elsewhere(app: Flask, issuer: str, serve: Callable[..., Server]) -> Iterator[Elsewhere]:
    serve(port=urlsplit(issuer).port, issuer=issuer)
    with listening() as callback:
        yield Elsewhere(app, issuer, callback)


def registered_at(elsewhere: Elsewhere, server: ServerMetadata) -> Registered:
    """Register, and change the registration; it stays the same client."""
    out, profile = elsewhere.outbound, elsewhere.profile
    assert how(server, profile, own_url=DOCUMENT).kind == "document"
    assert how(server, profile).kind == "registration"
    found = registration.register(out, server, profile, scopes=["notes:write"])
    assert isinstance(found, Registered), found
    assert found.client.auth_method == "client_secret_basic"
    assert registration.update(out, found, profile, scopes=[SCOPE]) == found
    return found


def test_a_grant_of_another_instance_lasts_from_registration_to_deletion(
    elsewhere: Elsewhere,
) -> None:
    server, out = elsewhere.metadata(), elsewhere.outbound
    registered = registered_at(elsewhere, server)
    state, verifier = credentials.new_secret(), credentials.new_secret()
    url = authorization_url(
        server,
        registered.client,
        redirect_uri=elsewhere.callback.uri,
        state=state,
        challenge=credentials.s256_challenge(verifier),
        scopes=[SCOPE],
        resource=RESOURCE,
    )
    elsewhere.approve(url)

    # The person says no, and then yes.
    wanted = {"state": state, "issuer": elsewhere.issuer, "iss_supported": True}
    denied = check_answer(elsewhere.bring(url, "Deny"), **wanted)
    assert denied == Refused(SENTENCES["access_denied"], "access_denied")
    code = check_answer(elsewhere.bring(url, "Allow"), **wanted)
    assert isinstance(code, str), code

    # The code becomes tokens for the resource, once.
    used = upstream_logins.Upstream(server, registered.client, (SCOPE,), RESOURCE, 60)
    login = used.login("g-1")
    proof = {"code": code, "verifier": verifier, "redirect_uri": elsewhere.callback.uri}
    grant = redeem(out, login, **proof)
    assert (grant.scopes, grant.expires_at is None) == ((SCOPE,), False)
    told = elsewhere.told(grant.access_token)
    assert (told["sub"], told["aud"]) == (elsewhere.person.user_id, RESOURCE)

    # They are renewed, the refresh token as well.
    renewed = refresh(out, login, grant.refresh_token)
    assert renewed.access_token != grant.access_token
    assert renewed.refresh_token != grant.refresh_token
    assert elsewhere.told(renewed.access_token)["active"]

    # It ends: first the tokens, then the client.
    held = {"refresh_token": renewed.refresh_token, "access_token": renewed.access_token}
    assert [each.failure for each in revoke(out, server, login, **held)] == ["", ""]
    assert elsewhere.told(renewed.access_token) == {"active": False}
    with pytest.raises(OutboundError) as raised:
        refresh(out, login, renewed.refresh_token)
    assert raised.value.error == "invalid_grant"

    managed = (registered.registration_client_uri, registered.registration_access_token)
    assert registration.delete(out, *managed) == "deleted"
    assert registration.delete(out, *managed) == "not_ours"
    with pytest.raises(OutboundError) as raised:
        refresh(out, login, renewed.refresh_token)
    assert raised.value.error == "invalid_client"
