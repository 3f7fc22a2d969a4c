"""What an assertion must say, and who must have signed it, to prove a client."""

import json

import pytest
from joserfc.jwk import OctKey

from app.domain import id_tokens, signing_keys, tokens
from app.domain.client_assertions import AUDIENCE, DATES, SHAPE
from app.protocol.caller import FAILED
from tests.conftest import ISSUER
from tests.protocol import signers, vendors
from tests.protocol.machines import assert_refused
from tests.protocol.standing import standing as standing
from tests.protocol.standing import standing_url as standing_url
from tests.protocol.vendors import KEYS, STRANGER, jws


@pytest.fixture(scope="module")
def lasting(standing):
    """Return a client that stands for all refusals."""
    return signers.register(standing.app, standing.http)


@pytest.mark.parametrize(
    "path, audience",
    [
        ("/token", f"{ISSUER}/token"),
        ("/revoke", f"{ISSUER}/token"),
        ("/revoke", f"{ISSUER}/revoke"),
        ("/introspect", ["https://elsewhere.example", ISSUER]),
    ],
)
def test_the_audience_is_the_issuer_or_where_it_is_sent(lasting, path, audience):
    proof = lasting.proof(lasting.assertion(aud=audience))
    answer = lasting.post(path, token="x", grant_type="client_credentials", **proof)
    assert answer.status_code == 200, answer.text


def confused(one):
    """Return an assertion for which our idea of the public key served as a password."""
    public = json.dumps(KEYS["ES256"].as_dict(private=False)).encode()
    key = OctKey.import_key(public)
    return jws({"alg": "HS256", "kid": "ES256"}, one.claims(), key, "HS256")


def unsigned(one):
    """Return an assertion that nobody signed."""
    _head, claims, _ = one.assertion(header={"kid": None}).split(".")
    none = vendors.encode(b'{"alg":"none"}')
    return f"{none}.{claims}."


def changed(**changes):
    """Return what signs an assertion with other claims."""
    return lambda one: one.assertion(**changes)


def header(**changes):
    """Return what signs an assertion with another header."""
    return lambda one: one.assertion(header=changes)


BAD_ASSERTIONS = {
    "for another server": (changed(aud="https://elsewhere.example"), AUDIENCE),
    "for another endpoint": (changed(aud=f"{ISSUER}/introspect"), AUDIENCE),
    "for the issuer with a slash": (changed(aud=f"{ISSUER}/"), AUDIENCE),
    "for nobody": (changed(aud=None), AUDIENCE),
    "for an object": (changed(aud={"a": ISSUER}), AUDIENCE),
    "expired": (changed(exp=-30), DATES),
    "of a day": (changed(exp=86400), DATES),
    "of ever": (changed(exp=None), DATES),
    "an end that is text": (changed(exp="9999999999"), DATES),
    "an end that is a truth": (changed(exp=True), DATES),
    "of tomorrow": (changed(iat=60), DATES),
    "not before": (changed(nbf=60), DATES),
    "no jti": (changed(jti=None), SHAPE),
    "an empty jti": (changed(jti=""), SHAPE),
    "a number as jti": (changed(jti=1), SHAPE),
    "NUL in the jti": (changed(jti="a\0b"), SHAPE),
    "no iss": (changed(iss=None), SHAPE),
    "no sub": (changed(sub=None), SHAPE),
    "another sub": (changed(sub="somebody"), SHAPE),
    "our issuer": (changed(iss=ISSUER), SHAPE),
    "another client": (changed(iss="somebody", sub="somebody"), FAILED),
    "no algorithm": (unsigned, SHAPE),
    "our public key as a password": (confused, FAILED),
    "an unknown kid": (header(kid="other"), FAILED),
    "the kid of another key": (header(kid="PS256"), FAILED),
    "a key of the sender's": (header(jwk=STRANGER.as_dict(private=False)), SHAPE),
    "a key set of the sender's": (header(jku="https://attacker.example/jwks"), SHAPE),
    "critical": (header(crit=["x"], x=1), SHAPE),
    "an access token by type": (header(typ="at+jwt"), SHAPE),
    "a statement by type": (header(typ="software-statement+jwt"), SHAPE),
    "of a stranger": (lambda one: one.assertion(key=STRANGER), FAILED),
    "of a stranger without a kid": (lambda one: one.assertion({"kid": None}, STRANGER), FAILED),
    "of a key for encryption": (lambda one: one.assertion({"kid": "enc"}, KEYS["enc"]), FAILED),
    "not a JWT": (lambda _: "x", SHAPE),
    "too long": (lambda one: one.assertion(jti="x" * 20_000), SHAPE),
}


@pytest.mark.parametrize("make, sentence", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS.keys())
def test_a_bad_assertion_proves_nothing(lasting, make, sentence):
    """N-061."""
    refused = lasting.for_itself(**lasting.proof(make(lasting)))

    assert_refused(refused, "invalid_client")
    assert refused.get_json()["error_description"] == sentence


def test_no_token_of_ours_proves_a_client(standing, lasting):
    with standing.app.app_context():
        keys = signing_keys.load(standing.app.extensions["gatewright.keys"]["signing keys"])
    for kind in (tokens.ACCESS_TOKEN, id_tokens.TYPE, "client-authentication+jwt"):
        token = signing_keys.sign(keys, kind, lasting.claims())
        assert_refused(lasting.for_itself(**lasting.proof(token)), "invalid_client")
