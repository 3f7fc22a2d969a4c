"""Logins at a token endpoint: how each way of proving itself looks there, and what is no login."""

import base64
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey

from app.outbound.errors import OutboundError
from app.outbound.logins import Login
from tests.outbound.token_endpoints import LOGIN, SECRET
from tests.outbound.token_endpoints import endpoint as endpoint
from tests.services.gate import token_answer


def test_a_login_is_sent_by_basic_with_both_halves_form_encoded(endpoint):
    server, manager = endpoint(scope="gate:ask gate:tell")

    assert manager.token() == "at-0123456789"

    head = server.heads[0]
    kind, _, pair = head["authorization"].partition(" ")
    assert (kind, base64.b64decode(pair)) == ("Basic", b"gate%3A1+a:c4n4ry+secret%2B%2F%26%C3%A9")
    assert head["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(server.bodies[0]) == {
        "grant_type": ["client_credentials"],
        "scope": ["gate:ask gate:tell"],
    }


def test_a_login_is_sent_in_the_body_when_wanted_and_no_empty_scope(endpoint):
    server, manager = endpoint(auth_method="client_secret_post")

    manager.token()

    assert "authorization" not in server.heads[0]
    assert parse_qs(server.bodies[0]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["gate:1 a"],
        "client_secret": [SECRET],
    }


def test_a_login_says_what_its_tokens_are_for(endpoint):
    server, manager = endpoint(resource="https://api.example/v1?x=1")

    manager.token()

    assert parse_qs(server.bodies[0]) == {
        "grant_type": ["client_credentials"],
        "resource": ["https://api.example/v1?x=1"],
    }


def test_a_login_may_sign_with_a_key_of_its_own(endpoint):
    key, server_key = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    header = {"alg": "ES256", "kid": "own"}
    server, manager = endpoint(
        auth_method="private_key_jwt",
        client_secret="",
        sign=lambda claims: jwt.encode(header, claims, key),
    )

    manager.token()

    (assertion,) = parse_qs(server.bodies[0])["client_assertion"]
    found = jwt.decode(assertion, key)
    assert (found.header["kid"], found.claims["sub"]) == ("own", "gate:1 a")
    with pytest.raises(BadSignatureError):
        jwt.decode(assertion, server_key)


@pytest.mark.parametrize(
    "change",
    [
        {"token_url": "https://b.example/token"},
        {"client_id": "other"},
        {"scope": "more"},
        {"resource": "https://api.example"},
        {"revision": "2"},
        {"auth_method": "client_secret_post"},
        {"client_id": 'id", "x'},
        {"client_id": "id", "scope": "", "resource": "x\ny"},
        {"client_id": "id", "scope": "x", "resource": "y"},
        {"client_id": "id\nx", "scope": "y"},
    ],
)
def test_a_login_that_differs_has_another_name(change):
    given = {"token_url": "https://a.example/token", "client_id": "id", "client_secret": "s"}
    names = {Login(**given | each).name for each in (change, {}, {"scope": "x\ny"})}

    assert len(names) == 3
    assert Login(**given).name == Login(**given).name


def test_a_login_by_key_sends_a_new_assertion_each_time_and_no_secret(endpoint, clock):
    signed = []
    server, manager = endpoint(
        token_answer(),
        token_answer(),
        auth_method="private_key_jwt",
        client_secret="",
        sign=lambda claims: signed.append(claims) or f"assertion-{len(signed)}",
    )

    for _ in range(2):
        manager.token()
        manager.clear()

    first, second = signed
    assert "authorization" not in server.heads[0]
    assert parse_qs(server.bodies[1]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["gate:1 a"],
        "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
        "client_assertion": ["assertion-2"],
    }
    assert first["jti"] != second["jti"]
    assert first | {"jti": ""} == {
        "iss": "gate:1 a",
        "sub": "gate:1 a",
        "aud": server.url,
        "iat": clock.now,
        "exp": clock.now + 60,
        "jti": "",
    }


def test_a_login_that_cannot_sign_asks_nobody(endpoint):
    def fail(_claims):
        raise OutboundError("token")

    server, manager = endpoint(auth_method="private_key_jwt", sign=fail)

    with pytest.raises(OutboundError):
        manager.token()
    assert server.bodies == []
    with pytest.raises(ValueError, match="needs what signs"):
        Login(server.url, **LOGIN, auth_method="private_key_jwt")


@pytest.mark.parametrize("buffer", [-1, 1.5, True, "60", None])
def test_a_buffer_is_a_whole_number_of_seconds(buffer):
    with pytest.raises(ValueError, match="at least 0"):
        Login("https://a.example/token", "id", "secret", buffer_seconds=buffer)


def test_a_secret_is_not_in_the_text_of_a_login():
    assert SECRET not in repr(Login("https://a.example/token", "id", SECRET))
