"""Answers to registrations: which describe a client of ours, and what is left of a refusal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbound import registration, upstream_refusals
from app.outbound.client import Answer
from app.outbound.registration import (
    NO_CLIENT_ID,
    OTHER_METHOD,
    OTHER_REDIRECT,
    UNREADABLE,
    WRONG_SECRET,
    Asked,
    Registered,
)
from app.outbound.upstream_clients import SECRET_METHODS, Client
from app.outbound.upstream_refusals import LATER, UNKNOWN, WANTS_TOKEN, Refused
from tests.outbound.upstreams import PROFILE, REDIRECT, UPSTREAM, answered, registered_at
from tests.outbound.upstreams import upstream as upstream
from tests.services.gate import said


@pytest.mark.parametrize(
    "answer, client",
    [
        ({"client_id": "c-1", "client_secret": "s"}, Client("c-1", "client_secret_basic", "s")),
        (answered(redirect_uris=None), Client("c-1", "client_secret_basic", "s3cret")),
        (answered(redirect_uris=["https://a.example", REDIRECT]), None),
        (
            answered(token_endpoint_auth_method="client_secret_post"),
            Client("c-1", "client_secret_post", "s3cret"),
        ),
        (
            answered("client_secret", token_endpoint_auth_method="none"),
            Client("c-1", "none"),
        ),
        (
            answered(token_endpoint_auth_method="none", client_secret=""),
            Client("c-1", "none"),
        ),
    ],
)
def test_an_answer_may_leave_out_what_was_asked_for_and_change_how_we_prove_ourselves(
    upstream, answer, client
):
    found = registered_at(upstream(said(200, answer)))

    assert found == Registered(client or Client("c-1", "client_secret_basic", "s3cret"))


@pytest.mark.parametrize(
    "answer, sentence",
    [
        (b"<h1>Registered</h1>", UNREADABLE),
        (b'["c-1"]', UNREADABLE),
        (b'{"client_id": "c-1", "client_id": "c-2"}', UNREADABLE),
        (answered("client_id"), NO_CLIENT_ID),
        (answered(client_id=7), NO_CLIENT_ID),
        (answered(client_id="a\nb"), NO_CLIENT_ID),
        (answered(client_id="\u00e9"), NO_CLIENT_ID),
        (answered(client_id="c" * 2049), NO_CLIENT_ID),
        (answered(redirect_uris=[f"{REDIRECT}/"]), OTHER_REDIRECT),
        (answered(redirect_uris=REDIRECT), OTHER_REDIRECT),
        (answered(token_endpoint_auth_method="private_key_jwt"), OTHER_METHOD),
        (answered(token_endpoint_auth_method="tls_client_auth"), OTHER_METHOD),
        (answered(token_endpoint_auth_method=["none"]), OTHER_METHOD),
        (answered("client_secret"), WRONG_SECRET),
        (answered(client_secret="a\nb"), WRONG_SECRET),
        (answered(client_secret=123), WRONG_SECRET),
        (answered(token_endpoint_auth_method="none"), WRONG_SECRET),
        (answered(client_secret_expires_at=-1), WRONG_SECRET),
        (answered(client_secret_expires_at=True), WRONG_SECRET),
        (answered(client_secret_expires_at="0"), WRONG_SECRET),
        (answered(client_secret_expires_at=10**30), WRONG_SECRET),
    ],
)
def test_an_answer_that_describes_no_client_of_ours_is_not_taken(upstream, answer, sentence):
    assert registered_at(upstream(said(201, answer))) == Refused(sentence, status=201)


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (400, {"error": "invalid_redirect_uri"}, ("invalid_redirect_uri", None)),
        (400, {"error": "invalid_client_metadata"}, ("invalid_client_metadata", None)),
        (400, {"error": "invalid_software_statement"}, ("invalid_software_statement", UNKNOWN)),
        (401, {"error": "invalid_token"}, ("invalid_token", WANTS_TOKEN)),
        (401, b"", ("", WANTS_TOKEN)),
        (403, b"<h1>Forbidden</h1>", ("", WANTS_TOKEN)),
        (429, {"error": "c4n4ry"}, ("", LATER)),
        (503, {"error": {"c4n4ry": 1}}, ("", LATER)),
        (404, {"error_description": "c4n4ry"}, ("", UNKNOWN)),
        (204, b"", ("", UNKNOWN)),
    ],
)
def test_of_a_refusal_only_a_known_code_is_kept(upstream, status, body, expected):
    at = upstream(said(status, body if isinstance(body, bytes) else body | {"more": "c4n4ry"}))

    found = registered_at(at)

    error, sentence = expected
    assert found == Refused(sentence or upstream_refusals.SENTENCES[error], error, status)
    assert "c4n4ry" not in repr(found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(REDIRECT),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
CHANGES = st.dictionaries(
    st.sampled_from([*answered(), "registration_client_uri", "registration_access_token", "error"]),
    VALUES,
)
ASKED = Asked(PROFILE, Registered(Client("", "client_secret_basic")), f"{UPSTREAM}/register")


@given(CHANGES, st.sampled_from([200, 201, 400, 401, 500]))
def test_whatever_is_answered_is_a_client_that_can_be_used_or_a_sentence_of_ours(changes, status):
    content = json.dumps(answered(**changes)).encode()

    found = registration.outcome(Answer(status, {}, content), ASKED)

    if isinstance(found, Refused):
        assert found.sentence.isprintable()
        assert found.error in upstream_refusals.CODES | {""}
        return
    client = found.client
    assert status in (200, 201)
    assert client.client_id
    assert set(client.client_id) <= set(map(chr, range(0x20, 0x7F)))
    assert bool(client.client_secret) == (client.auth_method in SECRET_METHODS)
    assert type(found.secret_expires_at) is int
    assert bool(found.registration_client_uri) == bool(found.registration_access_token)
