"""How clients want to hear about people: algorithms, ages, PKCE (OpenID Connect Registration)."""

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from app.domain import clients
from app.domain.audit import SERVER
from app.extensions import db
from tests.conftest import ISSUER
from tests.protocol.machines import assert_refused
from tests.protocol.persons import answer_of, find_form
from tests.protocol.registrants import post

SAID = {
    "id_token_signed_response_alg": "ES256",
    "userinfo_signed_response_alg": "RS256",
    "default_max_age": 60,
    "require_auth_time": True,
    "initiate_login_uri": "https://client.example/login",
    "subject_type": "public",
}


@pytest.fixture
def particular(register):
    """Return a client that says everything about signing people in."""
    return register(client_name="Particular", scope="openid email", **SAID)


def opened(client, token, algorithm):
    """Return the claims of a JWT that must be signed so."""
    keys = KeySet.import_key_set(client.get("/.well-known/jwks.json").get_json())
    return jwt.decode(token, keys, algorithms=[algorithm]).claims


def test_each_client_gets_the_algorithms_that_it_registered(client, person, relying, particular):
    """N-141: RS256 unless a client says otherwise; access tokens stay ES256."""
    scope = {"scope": "openid email", "resource": None}
    for machine, algorithm in ((relying, "RS256"), (particular, "ES256")):
        tokens = person.tokens(machine, **scope)
        assert opened(client, tokens["id_token"], algorithm)["aud"] == machine.client_id
        assert opened(client, tokens["access_token"], "ES256")["aud"] == ISSUER

    answer = client.get("/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/jwt", "no-store")
    assert opened(client, answer.text, "RS256") == {
        "iss": ISSUER,
        "aud": particular.client_id,
        "sub": person.user_id,
        "email": person.email,
        "email_verified": False,
    }
    hinted = particular.asking(scope="openid", prompt="none", id_token_hint=answer.text)
    assert answer_of(person.open(hinted))["error"] == "invalid_request"


def test_the_algorithms_stay_and_so_does_the_moment_of_the_sign_in(client, person, register, clock):
    """N-141: after a refresh, and with require_auth_time."""
    said = SAID | {"userinfo_signed_response_alg": "ES256"}
    steady = register(client_name="Steady", scope="openid email offline_access", **said)
    first = person.tokens(steady, scope="openid email offline_access", resource=None)
    clock.advance(30)
    again = steady.refresh(first["refresh_token"]).get_json()

    claims = [opened(client, each["id_token"], "ES256") for each in (first, again)]
    assert claims[0]["auth_time"] == claims[1]["auth_time"] < claims[1]["iat"]
    answer = client.get("/userinfo", headers={"Authorization": f"Bearer {again['access_token']}"})
    assert opened(client, answer.text, "ES256")["email"] == person.email


def test_the_age_that_a_client_registered_counts_where_a_request_says_none(
    clock, person, particular
):
    """N-037"""
    person.tokens(particular, scope="openid")
    clock.advance(61)
    silent = {"scope": "openid", "prompt": "none"}

    old = answer_of(person.open(particular.asking(**silent)))
    assert old["error"] == "login_required"
    assert answer_of(person.open(particular.asking(**silent, max_age="100")))["code"]
    page = person.open(particular.asking(scope="openid"))
    again = person.open(person.sign_in(page).location)
    assert find_form(again, "/consent")


@pytest.mark.parametrize(
    "member, value",
    [
        ("id_token_signed_response_alg", "none"),
        ("id_token_signed_response_alg", "HS256"),
        ("userinfo_signed_response_alg", ["RS256"]),
        ("default_max_age", 0),
        ("default_max_age", -1),
        ("default_max_age", True),
        ("default_max_age", "60"),
        ("require_auth_time", "true"),
        ("initiate_login_uri", "http://client.example/login"),
        ("subject_type", "ephemeral"),
    ],
    ids=str,
)
def test_what_a_client_cannot_have_is_refused_at_registration(client, member, value):
    """N-141, N-150"""
    assert_refused(post(client, **{member: value}), "invalid_client_metadata")


def test_what_is_registered_is_echoed_and_what_means_nothing_here_is_dropped(client):
    """N-151, N-155: what the answer does not hold, the client does not get.

    Without keys there is no algorithm of request objects.
    """
    more = {
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "userinfo_encrypted_response_alg": "RSA-OAEP",
        "request_object_signing_alg": "ES256",
        "request_object_encryption_alg": "RSA-OAEP",
        "request_uris": ["https://client.example/request"],
    }
    answer = post(client, **SAID, **more).get_json()

    assert {name: answer[name] for name in SAID} == SAID
    assert more.keys().isdisjoint(answer)


def test_an_operator_lets_a_single_confidential_client_go_without_pkce(app, confidential, person):
    """OAuth 2.1 section 7.5.1: with a nonce, and for this client alone."""
    bare = {"code_challenge": None, "code_challenge_method": None, "scope": "openid mcp:read"}
    refused = answer_of(person.open(confidential.asking(**bare, nonce="n")))
    assert refused["error"] == "invalid_request"
    with app.app_context():
        row = clients.get(confidential.client_id)
        clients.edit(row, by=SERVER, scopes=None, redirect_uris=(), pkce_optional=True)
        db.session.commit()

    code = person.code(confidential, **bare, nonce="n")
    assert confidential.redeem(code, code_verifier=None).status_code == 200
    no_nonce = answer_of(person.open(confidential.asking(**bare)))
    assert no_nonce["error"] == "invalid_request"
