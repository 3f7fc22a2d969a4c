"""Logout tokens that are not what a provider says of a session: each is refused, nothing ends."""

import json

import pytest

from app.domain.foreign_logout_tokens import CLAIMS, DATES, EVENT, PARTIES, SHAPE
from app.protocol.provider_logout import UNSIGNED
from tests.protocol.forgeries import decode, forged
from tests.protocol.machines import assert_refused
from tests.protocol.persons import Person, new_http
from tests.protocol.phones import is_signed_in_wholly
from tests.protocol.providers import CLIENT_ID, Provider, id_token, logout_token
from tests.protocol.vendors import KEYS, STRANGER, jws, key_set

OPENED = STRANGER.as_dict(private=False)
LATER = "http://schemas.openid.net/event/frontchannel-logout"
CHANGES = [
    ({"events": None}, CLAIMS),
    ({"events": {}}, CLAIMS),
    ({"events": [EVENT]}, CLAIMS),
    ({"events": EVENT}, CLAIMS),
    ({"events": {LATER: {}}}, CLAIMS),
    ({"events": {EVENT: True}}, CLAIMS),
    ({"events": {EVENT: []}}, CLAIMS),
    ({"events": {EVENT.upper(): {}}}, CLAIMS),
    ({"nonce": "n"}, CLAIMS),
    ({"nonce": ""}, CLAIMS),
    ({"sid": None}, CLAIMS),
    ({"sid": ""}, CLAIMS),
    ({"sid": ["laptop"]}, CLAIMS),
    ({"sid": 7, "sub": "pia-there"}, CLAIMS),
    ({"sub": {"a": 1}}, CLAIMS),
    ({"sub": "\0"}, CLAIMS),
    ({"sid": "l" * 256}, CLAIMS),
    ({"jti": None}, CLAIMS),
    ({"jti": ""}, CLAIMS),
    ({"jti": 1}, CLAIMS),
    ({"jti": "\u00e4"}, CLAIMS),
    ({"iss": None}, PARTIES),
    ({"iss": "https://id.example/tenant/"}, PARTIES),
    ({"iss": ["https://id.example/tenant"]}, PARTIES),
    ({"aud": None}, PARTIES),
    ({"aud": "another"}, PARTIES),
    ({"aud": []}, PARTIES),
    ({"aud": {CLIENT_ID: 1}}, PARTIES),
    ({"aud": [CLIENT_ID, "another"]}, PARTIES),
    ({"exp": None}, DATES),
    ({"exp": -61}, DATES),
    ({"exp": "300"}, DATES),
    ({"exp": True}, DATES),
    ({"iat": None}, DATES),
    ({"iat": 61}, DATES),
    ({"iat": -3600, "exp": 300}, DATES),
    ({"iat": [0]}, DATES),
    ({"nbf": 600}, DATES),
]
HEADERS = [
    ({"typ": "at+jwt"}, KEYS["ES256"], SHAPE),
    ({"typ": "secevent+jwt"}, KEYS["ES256"], SHAPE),
    ({"typ": None, "crit": ["exp"]}, KEYS["ES256"], SHAPE),
    ({"jwk": OPENED}, STRANGER, SHAPE),
    ({"alg": "none"}, KEYS["ES256"], SHAPE),
    ({}, STRANGER, UNSIGNED),
    ({"kid": None}, STRANGER, UNSIGNED),
    ({"kid": "unknown"}, KEYS["ES256"], UNSIGNED),
    ({"kid": "enc"}, KEYS["enc"], UNSIGNED),
    ({"alg": "RS256", "kid": "RS256"}, KEYS["ES256"], UNSIGNED),
]


@pytest.fixture
def provider(app):
    """Return a provider."""
    return Provider(app).attach()


@pytest.fixture
def somebody(app, provider):
    """Return somebody who is signed in by the provider until the end of the test."""
    person = Person(app, "", "")
    provider.sign_in(person.http, sid="laptop")
    yield person
    assert is_signed_in_wholly(person)


def tokens():
    """Yield each wrong token, and the sentence that refuses it."""
    for changes, sentence in CHANGES:
        yield changes, logout_token(**{"sid": "laptop"} | changes), sentence
    for header, key, sentence in HEADERS:
        yield header, logout_token(header, key, sid="laptop"), sentence
    claims = json.loads(decode(logout_token(sid="laptop").split(".")[1]))
    symmetric = {"alg": "HS256", "kid": "HS256"}
    yield "client secret", jws(symmetric, claims, KEYS["HS256"], "HS256"), SHAPE
    yield "ID token", id_token("n", sid="laptop"), CLAIMS
    yield "ID token with an event", id_token("n", sid="laptop", events={EVENT: {}}, jti="1"), CLAIMS
    yield "nothing", "", SHAPE
    yield "no JWT", "a.b.c", SHAPE


def test_a_token_of_another_kind_person_or_time_is_refused_and_nothing_ends(
    provider, somebody, subtests
):
    for name, token, sentence in tokens():
        with subtests.test(str(name)):
            answer = provider.log_out(token)

            assert_refused(answer, "invalid_request")
            assert answer.json["error_description"] == sentence


def test_a_forged_or_mangled_token_is_refused_and_nothing_ends(provider, somebody, subtests):
    for name, token in forged(logout_token(sid="laptop"), key_set("ES256")):
        with subtests.test(name):
            assert_refused(provider.log_out(token), "invalid_request")


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", None])
def test_what_providers_really_send_is_taken(provider, typ):
    token = logout_token({"typ": typ, "kid": None}, aud=[CLIENT_ID], sid="laptop", sub="pia-there")

    assert provider.log_out(token).status_code == 200


@pytest.mark.parametrize(
    "status, options",
    [
        (400, {"json": {"logout_token": "x"}}),
        (400, {"query_string": {"logout_token": "x"}}),
        (400, {"data": "logout_token=x&logout_token=y", "content_type": "text/plain"}),
        (400, {"data": {"logout_token": ["x", "y"]}}),
        (413, {"data": {"logout_token": "x" * 200_000}}),
    ],
)
def test_a_request_of_another_form_is_refused_unread(app, provider, somebody, status, options):
    answer = new_http(app).post("/backchannel_logout/acme", **options)

    assert_refused(answer, "invalid_request", status)
