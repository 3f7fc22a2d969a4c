"""Tokens as others verify them, and each kind only where it belongs (security.md section 2.9)."""

import base64
import hashlib

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from app.domain import id_tokens, key_rotation, registration_tokens
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.machines import PROOF, RESOURCE, SCOPES, send

DAY = 86400


def published(client):
    """Return the keys as a resource server fetches them."""
    return client.get("/.well-known/jwks.json").get_json()


def verified(client, token):
    """Return header and claims of a token, verified by the key that its header names."""
    decoded = jwt.decode(
        token, KeySet.import_key_set(published(client)), algorithms=["ES256", "RS256"]
    )
    assert decoded.header["kid"] in {key["kid"] for key in published(client)["keys"]}
    return decoded.header, decoded.claims


@pytest.fixture
def identified(register):
    """Return a client that may sign people in."""
    return register(client_name="Sign-in Client", scope=f"openid offline_access {SCOPES}")


def test_an_access_token_is_what_rfc_9068_says(clock, client, public, person):
    """N-140"""
    header, claims = verified(client, person.tokens(public)["access_token"])

    assert header.keys() == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    assert len(claims.pop("jti")) >= 32
    assert len(claims.pop("grant_id")) >= 32
    assert claims == {
        "iss": ISSUER,
        "sub": person.user_id,
        "aud": RESOURCE,
        "client_id": public.client_id,
        "scope": SCOPES,
        "iat": clock.now,
        "exp": clock.now + 900,
        "auth_time": clock.now,
    }


def test_no_two_access_tokens_are_alike(client, public, person):
    tokens = person.tokens(public)
    renewed = public.refresh(tokens["refresh_token"]).get_json()
    ids = {verified(client, each["access_token"])[1]["jti"] for each in (tokens, renewed)}

    assert len(ids) == 2


def test_an_id_token_is_for_the_client_and_for_this_sign_in(clock, client, identified, person):
    """N-141"""
    person.sign_in()
    clock.advance(60)
    code = person.code(identified, scope="openid", nonce='n-"\u00e9')
    answer = identified.redeem(code).get_json()
    header, claims = verified(client, answer["id_token"])

    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert claims.pop("sid") not in (person.user_id, "")
    assert claims == {
        "iss": ISSUER,
        "sub": person.user_id,
        "aud": identified.client_id,
        "nonce": 'n-"\u00e9',
        "auth_time": clock.now - 60,
        "acr": id_tokens.PASSWORD,
        "amr": ["pwd"],
        "at_hash": half_hash(answer["access_token"]),
        "iat": clock.now,
        "exp": clock.now + 900,
    }


def half_hash(token):
    """Return the left half of the SHA-256 of a token (OpenID Connect Core section 3.1.3.6)."""
    half = hashlib.sha256(token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_without_openid_there_is_no_id_token_and_without_nonce_no_nonce(client, identified, person):
    """N-141"""
    assert "id_token" not in person.tokens(identified, scope="mcp:read")
    token = person.tokens(identified, scope="openid mcp:read")["id_token"]
    assert "nonce" not in verified(client, token)[1]


def test_only_public_members_are_published(client):
    """N-142"""
    response = client.get("/.well-known/jwks.json")

    members = {"ES256": {"crv", "x", "y"}, "RS256": {"n", "e"}}
    keys = response.get_json()["keys"]
    assert [key["alg"] for key in keys] == ["ES256", "RS256", "ES256", "RS256"]
    for key in keys:
        assert key.keys() == {"kty", "kid", "use", "alg"} | members[key["alg"]]
        assert key["use"] == "sig"
    assert response.headers["Cache-Control"] == "public, max-age=3600"


def rotate(app):
    with app.app_context():
        sealing_key = app.extensions["gatewright.keys"]["signing keys"]
        key_rotation.rotate(sealing_key, by=SERVER, early=True)
        db.session.commit()


def test_a_rotation_keeps_earlier_tokens_verifiable(clock, app, client, confidential, person):
    """N-142, N-143"""
    before = person.tokens(confidential)
    rotate(app)
    after = confidential.refresh(before["refresh_token"]).get_json()

    headers = [verified(client, each["access_token"])[0] for each in (before, after)]
    assert headers[0]["kid"] != headers[1]["kid"]
    assert len({key["kid"] for key in published(client)["keys"]}) == 6
    for each in (before, after):
        assert confidential.introspect(each["access_token"]).get_json()["active"] is True


def test_a_retired_key_leaves_after_the_last_token_it_signed(clock, app, client):
    """N-142"""
    old = published(client)["keys"][0]["kid"]
    rotate(app)
    clock.advance(DAY)
    assert old in {key["kid"] for key in published(client)["keys"]}
    clock.advance(DAY)

    assert old not in {key["kid"] for key in published(client)["keys"]}


# The parameter or header of a use, with the kind of credential it is for.
USES = {
    "code": lambda one, value: one.redeem(value),
    "refresh_token": lambda one, value: one.refresh(value),
    "access_token": lambda one, value: one.introspect(value),
    "client_secret": lambda one, value: send(
        one.http,
        "/token",
        {"client_id": one.client_id, "client_secret": value, "grant_type": "client_credentials"},
    ),
    "code_verifier": lambda one, value: one.redeem("ac_x", code_verifier=value),
    "registration_token": lambda one, value: one.http.get(
        f"/clients/{one.client_id}", headers={"Authorization": f"Bearer {value}"}
    ),
    "initial_token": lambda one, value: one.http.post(
        "/register",
        json={"redirect_uris": ["https://x.example/"], "token_endpoint_auth_method": "none"},
        headers={"Authorization": f"Bearer {value}"},
    ),
    "cookie": lambda one, value: one.http.get(
        "/login", headers={"Cookie": f"__Host-gatewright={value}"}
    ),
}


def works(use, response):
    """Tell whether a use gave what it is for."""
    if use == "cookie":
        return response.status_code == 303
    if use == "access_token":
        return response.get_json() != {"active": False}
    return response.status_code < 300


def test_no_credential_works_as_another_one(app, register, person, subtests):
    """N-074, X-73"""
    client = register(
        client_name="Everything",
        scope=f"openid offline_access {SCOPES}",
        token_endpoint_auth_method="client_secret_post",
    )
    with app.app_context():
        _, initial = registration_tokens.create("X-73", by=SERVER)
        db.session.commit()
    tokens = person.tokens(client, scope=f"openid offline_access {SCOPES}")
    held = {
        "code": person.code(client, scope=f"openid offline_access {SCOPES}"),
        "refresh_token": tokens["refresh_token"],
        "access_token": tokens["access_token"],
        "id_token": tokens["id_token"],
        "code_verifier": PROOF.verifier,
        "client_secret": client.secret,
        "registration_token": client.registration_token,
        "initial_token": initial,
        "client_id": client.client_id,
        "cookie": person.http.get_cookie("__Host-gatewright", domain="gatewright.example").value,
    }
    for kind, value in held.items():
        for use, attempt in USES.items():
            if kind == use or (kind, use) == ("refresh_token", "access_token"):
                continue
            with subtests.test(f"{kind} as {use}"):
                assert not works(use, attempt(client, value))

    for kind in ("access_token", "registration_token", "initial_token", "code", "refresh_token"):
        assert works(kind, USES[kind](client, held[kind])), kind
    assert works("cookie", person.open("/login"))
