"""Clients that an operator holds to FAPI 2.0: stricter in everything, and nothing else (N-202)."""

from dataclasses import replace

import pytest

from app.domain import clients, errors, fapi
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol import registrants, signers
from tests.protocol.machines import RESOURCE, Machine, assert_refused, send
from tests.protocol.persons import answer_of
from tests.protocol.proofs import OTHER, proving
from tests.protocol.test_request_objects import bringing, signed
from tests.protocol.vendors import key_set

OWN = {"grant_type": "client_credentials", "resource": RESOURCE}
METADATA = {
    "scope": "openid offline_access mcp:read",
    "jwks": key_set("ES256", "ES384", "PS256", "RS256", "EdDSA"),
}


@pytest.fixture
def overrides():
    return {"code_seconds": 300, "pkce_required": "public", "refresh_idle_seconds": 3600}


def hold(app, machine, *, fapi2=True):
    """Hold a client to the profile, as operators do."""
    with app.app_context():
        row = clients.get(machine.client_id)
        clients.edit(row, by=SERVER, scopes=None, redirect_uris=(), fapi2=fapi2)
        db.session.commit()


@pytest.fixture
def usual(app, client):
    """Return a client that signs."""
    return signers.register(app, client, client_name="Usual", **METADATA)


@pytest.fixture
def strict(app, client):
    """Return one that is held to the profile."""
    machine = signers.register(app, client, client_name="Strict", **METADATA)
    hold(app, machine)
    return machine


def code_of(person, machine, **changes):
    """Return the code that answers a pushed request."""
    wanted = {"resource": None, "scope": "openid offline_access"} | changes
    browser = person.elsewhere()
    browser.sign_in()
    return answer_of(browser.decide(browser.open(machine.pushed(**wanted))))["code"]


def test_a_strict_client_pushes_signs_proves_and_keeps_its_refresh_token(
    strict, person, clock, audited
):
    first = strict.redeem(code_of(person, strict), headers=proving()).get_json()
    token = first["refresh_token"]

    for name in (OTHER, "PS256", "ES256"):
        clock.advance(3599)
        renewed = strict.refresh(token, headers=proving(name=name))
        assert renewed.status_code == 200, renewed.text
        assert renewed.get_json()["refresh_token"] == token
        assert renewed.get_json()["token_type"] == "DPoP"
    assert audited("token.replayed") == []
    assert strict.introspect(token).get_json()["active"] is True

    clock.advance(3600)
    assert_refused(strict.refresh(token, headers=proving()), "invalid_grant")


def test_a_refresh_token_that_stays_ends_when_it_is_revoked(strict, person):
    token = strict.redeem(code_of(person, strict), headers=proving()).get_json()["refresh_token"]
    assert strict.revoke(token).status_code == 200

    assert_refused(strict.refresh(token, headers=proving()), "invalid_grant")


def test_what_does_for_others_does_not_for_a_strict_client(strict, usual, clock, subtests):
    """The same request of a client without the profile is granted."""

    def ask(machine, headers=None, **changes):
        proof = machine.proof(machine.assertion(**changes))
        return send(machine.http, "/token", OWN | proof, proving() if headers is None else headers)

    cases = {
        "an assertion for the endpoint": lambda each: ask(each, aud=f"{ISSUER}/token"),
        "an assertion for a list": lambda each: ask(each, aud=[ISSUER]),
        "an assertion for more": lambda each: ask(each, aud=[ISSUER, "https://other.example"]),
        "an assertion by RS256": lambda each: ask(each.signing("RS256")),
        "an assertion by ES384": lambda each: ask(each.signing("ES384")),
        "an assertion from the future": lambda each: ask(each, iat=11),
        "an assertion that is over": lambda each: ask(each, exp=-10),
        "no proof": lambda each: ask(each, {}),
        "a proof by RS256": lambda each: ask(each, proving(name="RS256")),
        "a proof by ES384": lambda each: ask(each, proving(name="ES384")),
        "a proof from the future": lambda each: ask(each, proving(iat=11)),
        "an old proof": lambda each: ask(each, proving(iat=-71)),
    }
    for name, case in cases.items():
        with subtests.test(name):
            assert case(usual).status_code == 200
            error = "invalid_client" if name.startswith("an assertion") else "invalid_dpop_proof"
            assert_refused(case(strict), error)
    for name in ("ES256", "PS256", "EdDSA"):
        assert ask(strict.signing(name), proving(name=name, iat=10), iat=10).status_code == 200


def test_a_strict_client_starts_with_a_pushed_request_and_pkce(app, strict, usual, person):
    without = {"code_challenge": None, "code_challenge_method": None, "nonce": "n"}
    wanted = {"resource": None, "scope": "openid"}

    assert usual.push(**wanted, **without).status_code == 201
    assert_refused(strict.push(**wanted, **without), "invalid_request")
    for brought in (strict.asking(**wanted), bringing(strict, signed(strict, **wanted))):
        assert answer_of(person.open(brought))["error"] == "invalid_request"
    assert "code" in person.allow(usual, **wanted)


def test_what_a_strict_client_signs_as_a_request_is_held_to_the_same(strict, usual, subtests):
    """FAPI 2.0 section 5.4, for every JWT."""
    cases = {
        "RS256": lambda each: signed(each.signing("RS256")),
        "ES384": lambda each: signed(each.signing("ES384")),
        "from the future": lambda each: signed(each, iat=15),
        "over": lambda each: signed(each, exp=-10),
    }
    for name, make in cases.items():
        with subtests.test(name):
            assert usual.post("/par", request=make(usual)).status_code == 201
            assert_refused(strict.post("/par", request=make(strict)), "invalid_request_object")
    for name in ("ES256", "PS256", "EdDSA"):
        with subtests.test(name):
            request = signed(strict.signing(name), iat=5)
            assert strict.post("/par", request=request).status_code == 201
    brought = [each.http.get(bringing(each, signed(each))) for each in (usual, strict)]
    assert "request_uri" in brought[0].location
    assert answer_of(brought[1])["error"] == "invalid_request"


def test_a_strict_client_names_its_redirect_uri_in_each_request(strict, usual):
    """FAPI 2.0 section 5.3.2.2"""
    without = {"resource": None, "scope": "mcp:read", "redirect_uri": None}

    assert usual.push(**without).status_code == 201
    assert_refused(strict.push(**without), "invalid_request")
    assert_refused(strict.post("/par", request=signed(strict, **without)), "invalid_request")


def test_no_code_of_a_strict_client_lives_longer_than_a_minute(strict, usual, person, clock):
    codes = {machine: code_of(person, machine) for machine in (usual, strict)}
    clock.advance(60)

    assert usual.redeem(codes[usual], headers=proving()).status_code == 200
    assert_refused(strict.redeem(codes[strict], headers=proving()), "invalid_grant")


def test_a_strict_client_that_became_public_can_do_nothing(app, strict):
    """The profile is kept whatever its metadata become."""
    with app.app_context():
        row = clients.get(strict.client_id)
        row.client_metadata = row.client_metadata | {"token_endpoint_auth_method": "none"}
        clients.edit(row, by=SERVER, scopes=None, redirect_uris=(), fapi2=False)
        row.fapi2 = True
        db.session.commit()
    public = Machine(strict.http, strict.client_id)

    assert_refused(public.push(), "invalid_client")
    assert_refused(public.post("/token", proving(), **OWN), "invalid_client")


def test_only_a_client_that_signs_as_it_has_to_can_be_held_to_it(app, client, public, confidential):
    old = {"client_name": "Old", "token_endpoint_auth_signing_alg": "RS256"}
    by_secret = signers.share(app, client, client_name="By secret")
    signing_otherwise = signers.register(app, client, **METADATA | old)
    for machine in (public, confidential, by_secret, signing_otherwise):
        with pytest.raises(errors.InvalidClientMetadata, match=fapi.UNABLE[:20]):
            hold(app, machine)
        with app.app_context():
            assert clients.get(machine.client_id).fapi2 is False


def test_nobody_can_register_itself_with_or_without_the_profile(app, client, strict):
    asked = registrants.register(client, profile="fapi2", fapi2=True, scope="mcp:read")
    assert not asked.answer.keys() & {"profile", "fapi2"}
    with app.app_context():
        assert clients.get(asked.client_id).fapi2 is False
        assert clients.get(strict.client_id).fapi2 is True


def test_a_client_that_is_let_go_rotates_its_refresh_token_again(app, strict, person):
    token = strict.redeem(code_of(person, strict), headers=proving()).get_json()["refresh_token"]
    hold(app, strict, fapi2=False)

    successor = strict.refresh(token).get_json()["refresh_token"]

    assert successor != token
    assert strict.refresh(successor).status_code == 200
    assert replace(strict, algorithm="RS256").for_itself().status_code == 200
