"""Drafts of connections: what one can be, and every fault at once."""

import json
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey, OKPKey

from app.domain.connection_drafts import Draft, faults
from tests.domain.held_connections import BY_KEY, EC, GOOD, OTHER_EC, RSA

UPSTREAM = Draft(
    kind="authorization_code", url="https://mcp.example/mcp?tenant=1", auth_method="none"
)
HOSTILE_KEYS = [
    "no key",
    "[]",
    "{}",
    json.dumps({"keys": [EC]}),
    json.dumps({name: EC[name] for name in ("kty", "crv", "x", "y")}),
    json.dumps(EC | {"d": OTHER_EC["d"]}),
    json.dumps(EC | {"d": ""}),
    json.dumps(EC | {"d": 5}),
    json.dumps(EC | {"use": "enc"}),
    json.dumps(EC | {"alg": "RS256"}),
    json.dumps(EC | {"alg": "ECDH-ES"}),
    json.dumps(RSA | {"alg": "RSA-OAEP"}),
    json.dumps(RSA | {"p": EC["x"]}),
    json.dumps(RSA | {"n": RSA["n"][:171]}),
    json.dumps(ECKey.generate_key("P-384", private=True).as_dict(private=True)),
    json.dumps(OKPKey.generate_key("Ed25519", private=True).as_dict(private=True)),
    json.dumps({"kty": "oct", "k": "AAAA"}),
    json.dumps(EC | {"more": "x" * 20_000}),
    "[" * 20_000,
]


@pytest.mark.parametrize(
    "change, faulty",
    [
        ({"kind": "other"}, ["kind"]),
        ({"url": "https://mcp.example/mcp"}, ["url"]),
        ({"issuer": "https://id.example"}, ["issuer"]),
        ({"token_endpoint": "", "issuer": "https://id.example/?a=b"}, ["issuer"]),
        ({"token_endpoint": "http://id.example/token"}, ["token_endpoint"]),
        ({"token_endpoint": "https://ann:pass@id.example/token"}, ["token_endpoint"]),
        ({"token_endpoint": "https://id.example/token#here"}, ["token_endpoint"]),
        ({"token_endpoint": "https://169.254.169.254/token"}, ["token_endpoint"]),
        ({"token_endpoint": "ftp://id.example/token"}, ["token_endpoint"]),
        ({"token_endpoint": "/token"}, ["token_endpoint"]),
        ({"client_id": "caf\u00e9"}, ["client_id"]),
        ({"client_id": "x" * 2049}, ["client_id"]),
        ({"client_secret": "two\nlines"}, ["client_secret"]),
        ({"auth_method": "none"}, ["auth_method"]),
        ({"auth_method": ""}, ["auth_method"]),
        ({"auth_method": "private_key_jwt"}, ["client_secret"]),
        ({"private_key": json.dumps(EC)}, ["private_key"]),
        ({"scope": "read  write"}, ["scope"]),
        ({"scope": 'read "write"'}, ["scope"]),
        ({"resource": "api"}, ["resource"]),
        ({"resource": "https://api.example/#part"}, ["resource"]),
        ({"expiry_buffer_seconds": -1}, ["expiry_buffer_seconds"]),
        ({"expiry_buffer_seconds": True}, ["expiry_buffer_seconds"]),
        ({"expiry_buffer_seconds": 2**31}, ["expiry_buffer_seconds"]),
        ({"description": "two\nlines"}, ["description"]),
        ({"description": "x" * 201}, ["description"]),
        (
            {"scope": "\0", "description": "\0", "client_id": ""},
            ["client_id", "description", "scope"],
        ),
    ],
)
def test_what_no_connection_can_be_is_named(change, faulty):
    assert sorted(faults(replace(GOOD, **change))) == faulty


@pytest.mark.parametrize(
    "change",
    [
        {"token_endpoint": "", "issuer": "https://id.example/realms/one"},
        {"token_endpoint": "http://127.0.0.1:8080/token"},
        {"auth_method": "client_secret_post", "resource": "api://8d1f/billing"},
        {"auth_method": "private_key_jwt", "client_secret": ""},
        {"expiry_buffer_seconds": 0, "scope": "", "description": ""},
    ],
)
def test_what_a_connection_can_be_has_no_fault(change):
    assert faults(replace(GOOD, **change)) == {}


@pytest.mark.parametrize(
    "change, faulty",
    [
        ({"url": ""}, ["url"]),
        ({"url": "http://mcp.example/mcp"}, ["url"]),
        ({"url": "https://mcp.example/mcp#part"}, ["url"]),
        ({"token_endpoint": "https://id.example/token"}, ["token_endpoint"]),
        ({"issuer": "https://id.example"}, ["issuer"]),
        ({"auth_method": "client_secret_jwt"}, ["auth_method"]),
        ({"client_secret": "s"}, ["client_secret"]),
        ({"client_id": "c", "client_secret": "s"}, ["client_secret"]),
        ({"client_id": "c", "auth_method": "client_secret_basic"}, ["client_secret"]),
        ({"auth_method": "client_secret_basic", "client_secret": "s"}, ["client_secret"]),
        ({"private_key": json.dumps(EC)}, ["private_key"]),
        ({}, []),
        ({"client_id": "c", "url": "http://127.0.0.1:8080/mcp"}, []),
        ({"client_id": "c", "auth_method": "client_secret_basic", "client_secret": "s"}, []),
        ({"client_id": "c", "auth_method": "private_key_jwt", "private_key": json.dumps(EC)}, []),
    ],
)
def test_what_people_authorize_needs_its_url_and_discovers_the_rest(change, faulty):
    assert sorted(faults(replace(UPSTREAM, **change))) == faulty


@pytest.mark.parametrize("text", HOSTILE_KEYS, ids=range(len(HOSTILE_KEYS)))
def test_what_is_no_private_key_to_sign_with_is_refused(text):
    assert list(faults(replace(BY_KEY, private_key=text))) == ["private_key"]
