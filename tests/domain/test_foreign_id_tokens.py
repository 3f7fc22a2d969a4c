"""ID tokens that others issue: what counts, and each forgery with its reason for operators."""

import base64
import hashlib
import json
import time

import pytest

from app.domain import credentials, errors, foreign_id_tokens
from app.domain.foreign_id_tokens import (
    EXPIRED,
    FAILED,
    MALFORMED,
    NO_SUBJECT,
    OLD,
    OTHER_ACCESS_TOKEN,
    OTHER_AUDIENCE,
    OTHER_ISSUER,
    OTHER_NONCE,
    OTHER_PARTY,
    UNSIGNED,
)
from tests.protocol.forgeries import forged
from tests.protocol.providers import ACCESS, CLIENT_ID, ISSUER, id_token
from tests.protocol.vendors import KEYS, STRANGER, jws, key_set

NONCE = "a-nonce-of-256-random-bits"


def check(text, begun=0, published=None):
    """Check a token as a sign-in would that began so many seconds from now."""
    keys = (published or key_set())["keys"]
    return foreign_id_tokens.check(
        text,
        lambda kid: [each for each in keys if kid in (None, each["kid"])],
        issuer=ISSUER,
        client_id=CLIENT_ID,
        nonce_digest=credentials.digest(NONCE),
        access_token=ACCESS,
        begun_at=int(time.time()) + begun,
    )


def half(algorithm, bits):
    """Return the at_hash of the access token."""
    hashed = hashlib.new(algorithm, ACCESS.encode()).digest()[: bits // 16]
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "RS256", "PS256"])
def test_an_id_token_for_this_sign_in_counts_whatever_asymmetric_algorithm_signs(algorithm):
    bits = {"ES384": 384, "EdDSA": 512}.get(algorithm, 256)

    claims = check(id_token(NONCE, algorithm, at_hash=half(f"sha{bits}", bits)))

    assert claims["sub"] == "pia-there"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"azp": CLIENT_ID},
        {"exp": -20, "iat": -50},
        {"iat": 30.5},
    ],
)
def test_what_the_specification_leaves_open_is_let_through(changes):
    assert check(id_token(NONCE, **changes))["iss"] == ISSUER


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"iss": f"{ISSUER}/"}, OTHER_ISSUER),
        ({"iss": ISSUER.upper()}, OTHER_ISSUER),
        ({"iss": None}, OTHER_ISSUER),
        ({"iss": [ISSUER]}, OTHER_ISSUER),
        ({"aud": "another"}, OTHER_AUDIENCE),
        ({"aud": None}, OTHER_AUDIENCE),
        ({"aud": []}, OTHER_AUDIENCE),
        ({"aud": {CLIENT_ID: 1}}, OTHER_AUDIENCE),
        ({"aud": [CLIENT_ID, "another"]}, OTHER_PARTY),
        ({"azp": "another"}, OTHER_PARTY),
        ({"azp": ""}, OTHER_PARTY),
        ({"exp": -120}, EXPIRED),
        ({"exp": None}, EXPIRED),
        ({"exp": "300"}, EXPIRED),
        ({"exp": True}, EXPIRED),
        ({"iat": None}, EXPIRED),
        ({"iat": 600}, EXPIRED),
        ({"nbf": 600}, EXPIRED),
        ({"iat": -900}, OLD),
        ({"nonce": None}, OTHER_NONCE),
        ({"nonce": ""}, OTHER_NONCE),
        ({"nonce": "another"}, OTHER_NONCE),
        ({"nonce": [NONCE]}, OTHER_NONCE),
        ({"nonce": credentials.digest(NONCE)}, OTHER_NONCE),
        ({"at_hash": half("sha512", 512)}, OTHER_ACCESS_TOKEN),
        ({"at_hash": ""}, OTHER_ACCESS_TOKEN),
        ({"sub": None}, NO_SUBJECT),
        ({"sub": ""}, NO_SUBJECT),
        ({"sub": 7}, NO_SUBJECT),
        ({"sub": "a" * 256}, NO_SUBJECT),
        ({"sub": "pi\u00e4"}, NO_SUBJECT),
        ({"sub": "pia\0"}, NO_SUBJECT),
    ],
    ids=str,
)
def test_claims_of_another_sign_in_are_refused_in_one_sentence_with_a_reason(changes, reason):
    with pytest.raises(errors.AccessDenied) as refused:
        check(id_token(NONCE, **changes))

    assert (refused.value.description, refused.value.facts) == (FAILED, {"reason": reason})


def test_a_forged_or_mangled_token_is_refused():
    genuine = id_token(NONCE)

    for name, token in forged(genuine, key_set("ES256")):
        with pytest.raises(errors.AccessDenied) as refused:
            check(token)
        assert refused.value.facts["reason"] in (MALFORMED, UNSIGNED), name


@pytest.mark.parametrize(
    "header, key, reason",
    [
        ({"alg": "ES256", "kid": "ES256"}, STRANGER, UNSIGNED),
        ({"alg": "ES256"}, STRANGER, UNSIGNED),
        ({"alg": "ES256", "kid": "enc"}, KEYS["enc"], UNSIGNED),
        ({"alg": "ES256", "kid": "unknown"}, KEYS["ES256"], UNSIGNED),
        ({"alg": "ES256", "typ": "at+jwt"}, KEYS["ES256"], MALFORMED),
        ({"alg": "ES256", "jwk": STRANGER.as_dict(private=False)}, STRANGER, MALFORMED),
        ({"alg": "ES256", "crit": ["exp"]}, KEYS["ES256"], MALFORMED),
    ],
)
def test_only_a_published_key_for_signatures_counts_under_a_plain_header(header, key, reason):
    claims = json.loads(base64.urlsafe_b64decode(id_token(NONCE).split(".")[1] + "=="))

    with pytest.raises(errors.AccessDenied) as refused:
        check(jws(header, claims, key, "ES256"))

    assert refused.value.facts["reason"] == reason


def test_a_password_of_the_client_signs_nothing():
    claims = {"iss": ISSUER, "sub": "x", "aud": CLIENT_ID, "nonce": NONCE}

    with pytest.raises(errors.AccessDenied) as refused:
        check(jws({"alg": "HS256", "kid": "HS256"}, claims, KEYS["HS256"], "HS256"))

    assert refused.value.facts["reason"] == MALFORMED


def test_a_token_of_before_this_sign_in_is_refused_although_it_lives():
    with pytest.raises(errors.AccessDenied) as refused:
        check(id_token(NONCE), begun=120)

    assert refused.value.facts["reason"] == OLD
