"""Revocation: what ends with what, and whose it is to end (security.md section 2.8)."""

import pytest

from tests.protocol.forgeries import forged
from tests.protocol.machines import assert_refused


@pytest.fixture
def tokens(clock, person, confidential):
    return person.tokens(confidential)


def active(machine, tokens, kind):
    return machine.introspect(tokens[kind]).get_json()["active"]


def test_revoking_the_refresh_token_ends_the_grant(confidential, tokens, audited):
    """N-132"""
    response = confidential.revoke(tokens["refresh_token"])

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert not active(confidential, tokens, "refresh_token")
    assert not active(confidential, tokens, "access_token")
    assert_refused(confidential.refresh(tokens["refresh_token"]), "invalid_grant")
    assert len(audited("token.revoked")) == 1


def test_revoking_an_access_token_leaves_the_grant(confidential, tokens, audited):
    """N-132"""
    assert confidential.revoke(tokens["access_token"]).status_code == 200

    assert not active(confidential, tokens, "access_token")
    assert active(confidential, tokens, "refresh_token")
    assert confidential.refresh(tokens["refresh_token"]).status_code == 200
    assert len(audited("token.revoked")) == 1


def test_revoking_a_rotated_token_ends_the_grant(confidential, tokens):
    """A client that lost an answer may only hold the token before."""
    renewed = confidential.refresh(tokens["refresh_token"]).get_json()
    confidential.revoke(tokens["refresh_token"])

    assert_refused(confidential.refresh(renewed["refresh_token"]), "invalid_grant")


def test_a_public_client_revokes_its_own_tokens(public, person, resource_server):
    """N-130"""
    tokens = person.tokens(public)
    assert public.revoke(tokens["access_token"]).status_code == 200
    assert not active(resource_server, tokens, "access_token")

    assert public.revoke(tokens["refresh_token"]).status_code == 200
    assert_refused(public.refresh(tokens["refresh_token"]), "invalid_grant")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_token_of_another_client_lives_on(confidential, posting, public, tokens, kind):
    """N-131"""
    for other in (posting, public):
        assert other.revoke(tokens[kind]).status_code == 400

    assert active(confidential, tokens, "access_token")
    assert active(confidential, tokens, "refresh_token")


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_wrong_hint_still_finds_the_token(confidential, tokens, kind, hint):
    """N-130"""
    assert confidential.revoke(tokens[kind], token_type_hint=hint).status_code == 200

    assert not active(confidential, tokens, kind)


def test_what_is_unknown_or_ended_is_answered_alike(client, confidential, tokens, clock, subtests):
    """N-130, N-133, promise 5"""
    first = confidential.revoke(tokens["refresh_token"]).get_data()
    jwks = client.get("/.well-known/jwks.json").get_json()
    others = [("again", tokens["refresh_token"]), ("unknown", "rt_x"), ("code", "ac_x")]
    for name, token in (*others, *forged(tokens["access_token"], jwks)):
        with subtests.test(name):
            response = confidential.revoke(token, callback="x")
            assert (response.status_code, response.get_data()) == (200, first)
    clock.advance(900)
    assert confidential.revoke(tokens["access_token"]).get_data() == first


def test_a_missing_token_is_refused(confidential):
    """N-133"""
    for token in (None, ""):
        assert_refused(confidential.post("/revoke", token=token), "invalid_request")
