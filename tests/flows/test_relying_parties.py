"""A strict OpenID Connect client from outside, in all that it can do with this server."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from joserfc.jws import extract_compact

from app.domain.grant_types import DEVICE
from tests.flows.driver import TypescriptError
from tests.flows.person import Browser, Person
from tests.flows.relying_party import RelyingParty, running_relying_party, sign_in_and_allow
from tests.flows.world import add_person
from tests.services.gunicorn import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

KINDS = {
    "RS256 and a secret": {"id_token_signed_response_alg": "RS256"},
    "ES256, a key and signed claims": {
        "id_token_signed_response_alg": "ES256",
        "token_endpoint_auth_method": "private_key_jwt",
        "userinfo_signed_response_alg": "RS256",
    },
    "a secret that signs, and signed requests": {
        "id_token_signed_response_alg": "RS256",
        "token_endpoint_auth_method": "client_secret_jwt",
        "request_object_signing_alg": "ES256",
        "require_signed_request_object": True,
    },
}
PUBLIC = {"token_endpoint_auth_method": "none", "dpop_bound_access_tokens": True}
ESSENTIAL = '{"id_token": {"email": {"essential": true}}}'


@pytest.fixture
def person(app: Flask) -> Person:
    return add_person(app, "pia@example.org", "member")


@pytest.fixture
def settings_of_story() -> dict[str, Any]:
    return {}


@pytest.fixture
def party(
    app: Flask, issuer: str, serve: Callable[..., Server], settings_of_story: dict[str, Any]
) -> Iterator[RelyingParty]:
    serve(port=urlsplit(issuer).port, issuer=issuer, **settings_of_story)
    with running_relying_party(issuer) as running:
        yield running


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "issuer, kind",
    list(zip(("", "/tenant/one", "/tenant/two"), KINDS.values(), strict=True)),
    ids=KINDS,
    indirect=["issuer"],
)
def test_a_strict_relying_party_has_nothing_to_object_to(
    app: Flask,
    issuer: str,
    kind: dict[str, Any],
    party: RelyingParty,
    person: Person,
    browser_of: Callable[[], Browser],
) -> None:
    """It checks state, iss, nonce, max_age, audience, algorithm and every signature."""
    back = party.callback.uri
    client_id = party.register(app, post_logout_redirect_uris=[back], **kind)["client_id"]
    browser = browser_of()

    # The first time, with everything that a request can say about the person.
    party.send(browser, login_hint=person.email, max_age="1000", claims=ESSENTIAL)
    assert ("username", person.email) in browser.page.form_with("Sign in").fields
    sign_in_and_allow(browser, person)
    first = party.finish()
    said = first["claims"]
    assert (said["iss"], said["aud"], said["sub"]) == (issuer, client_id, person.user_id)
    assert said["email"] == person.email
    header = extract_compact(first["tokens"]["id_token"].encode()).headers()
    assert header["alg"] == kind["id_token_signed_response_alg"]

    # Again without a page; then in spite of the session; then by somebody who has none.
    party.send(browser, prompt="none", response_mode="form_post")
    browser.press("Go on")
    assert party.finish(posted=True)["claims"]["auth_time"] == said["auth_time"]
    party.send(browser, prompt="login", pushed=True)
    sign_in_and_allow(browser, person)
    assert party.finish()["claims"]["auth_time"] >= said["auth_time"]
    party.send(browser_of(), prompt="none", pushed=True)
    with pytest.raises(TypescriptError, match=r"^AuthorizationResponseError: .*login_required"):
        party.finish()

    # What the tokens are good for, and until when.
    assert party.ask("userinfo")["email"] == person.email
    before, after = party.ask("protect", audience=issuer), party.ask("refresh")
    assert (before["sub"], before["client_id"]) == (person.user_id, client_id)
    assert (after["claims"]["sub"], "nonce" in after["claims"]) == (person.user_id, False)
    assert party.ask("introspect")["active"] is True
    party.ask("revoke")
    assert party.ask("introspect") == {"active": False}

    # Out again, without a question, and back to where it wants people then.
    wish = {"post_logout_redirect_uri": back, "state": "bye"}
    browser.open(party.ask("leave", parameters=wish)["url"])
    assert party.callback.take() == {"state": "bye"}
    party.send(browser, prompt="none")
    with pytest.raises(TypescriptError, match=r"^AuthorizationResponseError: .*login_required"):
        party.finish()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "issuer, settings_of_story, profile",
    [("", {}, False), ("/tenant/one", {"dpop_nonce_required": True}, True)],
    ids=["a public client", "FAPI 2.0 with nonces"],
    indirect=["issuer"],
)
def test_a_strict_relying_party_binds_everything_to_its_key(
    app: Flask,
    issuer: str,
    profile: bool,
    party: RelyingParty,
    person: Person,
    browser_of: Callable[[], Browser],
) -> None:
    """N-201, N-202: code, tokens, UserInfo and refresh; another key is refused everywhere."""
    wanted = KINDS["ES256, a key and signed claims"] if profile else PUBLIC
    party.register(app, **wanted, profile=profile)
    party.ask("bind")
    browser = browser_of()
    party.send(browser, pushed=True)
    sign_in_and_allow(browser, person)

    first = party.finish()
    assert first["tokens"]["token_type"] == "dpop"
    assert party.ask("userinfo")["email"] == person.email
    bound = party.ask("protect", audience=issuer)
    again = party.ask("refresh")["tokens"]
    assert again["token_type"] == "dpop"
    assert (again["refresh_token"] == first["tokens"]["refresh_token"]) is profile
    assert party.ask("protect", audience=issuer)["cnf"] == bound["cnf"]

    party.ask("bind")
    with pytest.raises(TypescriptError, match=r"^WWWAuthenticateChallengeError"):
        party.ask("userinfo")
    if not profile:
        with pytest.raises(TypescriptError, match="invalid_grant"):
            party.ask("refresh")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("issuer", ["/tenant/one"], indirect=True)
def test_a_device_polls_until_somebody_lets_it_in(
    app: Flask, party: RelyingParty, person: Person, browser_of: Callable[[], Browser]
) -> None:
    party.register(app, grant_types=[DEVICE], token_endpoint_auth_method="none")
    asked, browser = party.ask("poll", scope="openid email"), browser_of()
    browser.open(asked["verification_uri_complete"])
    person.sign_in(browser)
    browser.press("Continue")

    deadline = time.monotonic() + 20
    while not party.ask("polls")["polls"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    browser.press("Allow")
    got = party.ask("polled")

    assert got["polls"] >= 2
    assert got["claims"]["sub"] == person.user_id
